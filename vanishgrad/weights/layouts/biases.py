"""How people name the biases of a layer."""

from __future__ import annotations

BIASES = (
    ("bias_ih", "bias_hh"),
    ("b_ih", "b_hh"),
    ("bih", "bhh"),
    ("i2h_bias", "h2h_bias"),
    ("x2h.bias", "h2h.bias"),
    ("i2h.bias", "h2h.bias"),
    ("b_h",),
    ("bh",),
    ("bias",),
    ("b",),
)
"""Two names, input and recurrent, or one; the first that are all there are taken."""
