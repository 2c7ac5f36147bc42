#!/usr/bin/env bash
# Keras: an RNN layer that is given an initial state by name does not get the mask of its input.
#
# One would guess: behind Masking or Embedding(mask_zero=True) an LSTM or GRU skips the masked steps, whatever else it is
# called with; a decoder that starts from an encoder's state reads its padded batch as the encoder does.
# What happens: Keras hands a mask on by itself only where a call has one tensor argument. With initial_state there are
# two, and `mask` stays None without a warning: the padding is read like any other step. mask=… by name is heeded.
#
# Seen with keras 3.15.1, by its JAX backend.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q keras==3.15.1 jax==0.7.1 numpy
cat > "$folder/try.py" <<'PYTHON'
import os

os.environ["KERAS_BACKEND"] = "jax"
import keras
import numpy as np

print("keras", keras.__version__)
keras.utils.set_random_seed(0)
xs = np.random.default_rng(0).standard_normal((1, 6, 3)).astype("float32")
xs[:, 4:] = 0
zero_state = np.zeros((1, 4), "float32")
inputs, state = keras.Input((6, 3)), keras.Input((4,))
masked, gru = keras.layers.Masking()(inputs), keras.layers.GRU(4)
named = keras.ops.any(keras.ops.not_equal(inputs, 0), axis=-1)
model = keras.Model(
    [inputs, state], [gru(masked), gru(masked, initial_state=state), gru(masked, initial_state=state, mask=named)]
)
alone, with_state, with_both = (np.asarray(each) for each in model([xs, zero_state]))
print(f"from zero by default and given by name differ by {np.abs(alone - with_state).max():.2g}; "
      f"with the mask by name too by {np.abs(alone - with_both).max():.2g}")
assert np.abs(alone - with_state).max() > 1e-3 and np.abs(alone - with_both).max() < 1e-6, "the behaviour has changed"
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
