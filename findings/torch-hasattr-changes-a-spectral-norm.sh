#!/usr/bin/env bash
# PyTorch: asking whether an LSTM under spectral_norm has a weight changes the weight.
#
# One would guess: hasattr(lstm, "weight_hh_l0") and reading lstm.weight_hh_l0 leave a module as it is.
# What happens: the attribute is a property that computes the parametrization, and in train mode each computation
# advances the power iteration's vectors _u and _v. An inspection tool that looks at weights between training steps
# changes the numbers of the next step. In eval mode nothing moves; state_dict() never moves anything.
#
# Seen with torch 2.13.0 (CPU).
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.13.0 numpy
cat > "$folder/try.py" <<'PYTHON'
import torch
from torch.nn.utils.parametrizations import spectral_norm

print("torch", torch.__version__.split("+")[0])
torch.manual_seed(0)
lstm = spectral_norm(torch.nn.LSTM(5, 6), "weight_hh_l0")


def vectors():
    return torch.cat([value.flatten() for name, value in lstm.state_dict().items() if name.endswith(("_u", "_v"))])


def moved(action):
    before = vectors().clone()
    action()
    return float((vectors() - before).abs().max())


train = moved(lambda: hasattr(lstm, "weight_hh_l0"))
dictionary = moved(lstm.state_dict)
lstm.eval()
evaluated = moved(lambda: lstm.weight_hh_l0)
print(f"hasattr in train mode moves u, v by {train:.2g}; state_dict by {dictionary:.2g}; a read in eval mode by {evaluated:.2g}")
assert train > 1e-3 and dictionary == evaluated == 0, "the behaviour has changed"
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
