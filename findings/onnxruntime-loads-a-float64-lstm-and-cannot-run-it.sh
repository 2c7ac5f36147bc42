#!/usr/bin/env bash
# onnxruntime: a float64 LSTM passes the checker and makes a session; only the run fails.
#
# One would guess: what the ONNX standard allows (LSTM's T is float16, float or double) and what InferenceSession
# accepts can be run, or is refused when the session is made.
# What happens: onnx.checker and InferenceSession accept the model, run() raises. A tool that tests "can this be run"
# by making a session says yes; to capture what a float64 recurrent layer gets, the model has to be cast to float32.
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

onnxruntime.set_default_logger_severity(4)
print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__)


def outcome(dtype, kind):
    draw = np.random.default_rng(0)
    weights = {"W": (1, 16, 3), "R": (1, 16, 4)}
    graph = helper.make_graph(
        [helper.make_node("LSTM", ["X", "W", "R"], ["", "Y_h"], hidden_size=4)], "lstm",
        [helper.make_tensor_value_info("X", kind, (5, 1, 3))], [helper.make_tensor_value_info("Y_h", kind, (1, 1, 4))],
        [numpy_helper.from_array(draw.standard_normal(shape).astype(dtype), name) for name, shape in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    try:
        session.run(None, {"X": np.zeros((5, 1, 3), dtype)})
    except Exception as error:
        return f"session made, run raises {type(error).__name__}"
    return "runs"


found = outcome(np.float32, TensorProto.FLOAT), outcome(np.float64, TensorProto.DOUBLE)
print("float32:", found[0])
print("float64:", found[1])
assert found[0] == "runs" and found[1].startswith("session made, run raises"), "the behaviour has changed"
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
