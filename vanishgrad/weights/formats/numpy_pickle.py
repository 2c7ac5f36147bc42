"""Pickles of NumPy arrays: parameters of Haiku and JAX, Paddle's .pdparams. Nothing that they name is called."""

from __future__ import annotations

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.pickle_tree import tree
from vanishgrad.weights.formats.torch_tensors import Storage, named_tensors
from vanishgrad.weights.tensors import TensorFile, shown

BEGINNINGS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"(d", b"(l", b"}q", b"]q", b"ccollections\n")
"""How a pickle of any protocol begins; from the fifth on those of protocols 0 and 1."""
REMEDY = "try numpy.savez with one name for each weight"


def recognises(head: bytes, names: frozenset[str]) -> bool:
    """Return whether the file begins as a pickle does."""
    return head.startswith(BEGINNINGS)


def tensors(path: str) -> TensorFile:
    """Return the arrays of a pickle by dotted path.

    Raises
    ------
    VanishgradError
        If it is damaged, or holds tensors whose numbers lie elsewhere.
    """
    with open(path, "rb") as stream:
        pickled = tree(stream, path, "arrays", REMEDY)
        by_path = named_tensors(pickled.root, path, lambda key: _elsewhere(path, key))
        return TensorFile(path, "pickle", by_path, calls=pickled.calls)


def _elsewhere(path: str, key: str) -> Storage:
    raise VanishgradError(
        f"expected the numbers in the pickle {path} itself, got storage {shown(key)} of PyTorch outside it; "
        "try torch.save(model.state_dict(), ...)"
    )
