#!/usr/bin/env bash
# onnx.reference: the standard's own evaluator drops sequence_lens, activations, clip and input_forget of an LSTM.
#
# One would guess: the evaluator that ships with the standard computes what the standard says, or raises for what it
# has not implemented (as it does for an unknown direction). So it is taken as the judge of a reader or an exporter.
# What happens: each of the four is accepted and ignored, with the numbers of the plain LSTM to the last bit, while
# onnxruntime obeys all four. Padded steps run on, a hard sigmoid is a sigmoid, coupled gates (CIFG) are not coupled.
# A converter tested against the reference alone can lose all of them unseen.
#
# Seen with onnx 1.23.2, onnxruntime 1.32.0 (CPU).
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > "$folder/try.py" <<'PYTHON'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

onnxruntime.set_default_logger_severity(4)
print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__)
draw = np.random.default_rng(0)
X = draw.standard_normal((6, 2, 3)).astype(np.float32)
TENSORS = {
    "W": 2 * draw.standard_normal((1, 16, 3)).astype(np.float32),
    "R": draw.standard_normal((1, 16, 4)).astype(np.float32),
    "B": draw.standard_normal((1, 32)).astype(np.float32),
    "L": np.array([6, 2], np.int32),
}


def states(lengths=False, **attributes):
    inputs = ["X", "W", "R", "B", "L"] if lengths else ["X", "W", "R", "B"]
    graph = helper.make_graph(
        [helper.make_node("LSTM", inputs, ["", "Y_h"], hidden_size=4, **attributes)], "lstm",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, X.shape)],
        [helper.make_tensor_value_info("Y_h", TensorProto.FLOAT, (1, 2, 4))],
        [numpy_helper.from_array(TENSORS[name], name) for name in inputs[1:]],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return ReferenceEvaluator(model).run(None, {"X": X})[0], session.run(None, {"X": X})[0]


plain, plain_of_runtime = states()
print(f"plain LSTM: the two differ by {np.abs(plain - plain_of_runtime).max():.0e}")
assert np.allclose(plain, plain_of_runtime, atol=1e-5)
for name, case in {
    "sequence_lens": {"lengths": True},
    "activations": {"activations": ["HardSigmoid", "Tanh", "Tanh"]},
    "clip": {"clip": 0.5},
    "input_forget": {"input_forget": 1},
}.items():
    reference, runtime = states(**case)
    ignored, obeyed = np.array_equal(reference, plain), np.abs(runtime - plain_of_runtime).max()
    print(f"{name}: the reference ignores it: {ignored}; onnxruntime's states move by {obeyed:.2f}")
    assert ignored and obeyed > 0.01, "the behaviour has changed"
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
