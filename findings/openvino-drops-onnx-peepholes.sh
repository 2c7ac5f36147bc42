#!/usr/bin/env bash
# OpenVINO: converting an ONNX LSTM drops its peepholes and input_forget, without a word.
#
# One would guess: convert_model gives a model with the numbers of the ONNX file, or raises for what its LSTMSequence
# cannot say, as it does for an unknown activation. What happens: input P (peepholes) and input_forget = 1 (coupled
# gates) are accepted and gone. The converted model is the plain LSTM of the same W, R and B, to float32's roundoff, with
# no warning, while clip and linear_before_reset are kept.
#
# Seen with openvino 2026.4.1 (CPU, float32), onnx 1.23.2, onnxruntime 1.32.0.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q openvino==2026.4.1 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > "$folder/try.py" <<'PYTHON'
import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper

print("openvino", openvino.__version__, "onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__)
draw = np.random.default_rng(0)
X = draw.standard_normal((8, 1, 3)).astype(np.float32)
TENSORS = {
    "W": draw.standard_normal((1, 16, 3)).astype(np.float32),
    "R": draw.standard_normal((1, 16, 4)).astype(np.float32),
    "B": np.ones((1, 32), np.float32),
    "P": draw.standard_normal((1, 12)).astype(np.float32),
}


def states(peepholes=False, **attributes):
    inputs = ["X", "W", "R", "B", *(["", "", "", "P"] if peepholes else [])]
    graph = helper.make_graph(
        [helper.make_node("LSTM", inputs, ["Y"], hidden_size=4, **attributes)], "lstm",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, X.shape)],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, (8, 1, 1, 4))],
        [numpy_helper.from_array(TENSORS[name], name) for name in inputs[1:] if name],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, FILE)
    session = onnxruntime.InferenceSession(FILE, providers=["CPUExecutionProvider"])
    compiled = openvino.compile_model(openvino.convert_model(FILE), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return session.run(None, {"X": X})[0], np.array(next(iter(compiled([X]).values())))


FILE = __file__.replace("try.py", "lstm.onnx")
plain, plain_converted = states()
print(f"plain LSTM: onnxruntime and OpenVINO differ by {np.abs(plain - plain_converted).max():.0e}")
assert np.allclose(plain, plain_converted, atol=1e-5)
for name, case in {"peepholes": {"peepholes": True}, "input_forget": {"input_forget": 1}}.items():
    right, converted = states(**case)
    is_plain = np.allclose(converted, plain_converted, atol=1e-5)
    print(f"{name}: converted to the plain LSTM: {is_plain}; off by {np.abs(right - converted).max():.2f}")
    assert is_plain and np.abs(right - converted).max() > 0.01, "the behaviour has changed"
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
