"""Folding: weights that a file keeps in pieces (normalised, pruned, orthogonal) made into the matrix that is used.

The names are those of PyTorch's reparametrisations: ``NAME_orig``, ``NAME_g`` and their like, and
``parametrizations.NAME.original``. A weight whose pieces are of no known kind is kept under its plain name, and no
layer can read it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.languages import english
from vanishgrad.weights.hints import Hints
from vanishgrad.weights.tensors import FLOATS, Tensor, derived, shown

OLD = re.compile(r"(?P<plain>.*\w)_(?P<piece>orig|mask|u|v|g)")
NEW = re.compile(r"(?P<path>(?:.*\.)?)parametrizations\.(?P<name>\w+)\.(?P<piece>original\d?|\d{1,3}\..+)")
NORMED = re.compile(r"(?:.*\W)?(?:weight|bias|kernel)\w*")
"""Names whose _g and _v are those of weight normalisation: elsewhere these letters mean other things."""
SPECTRAL_OLD, SPECTRAL_NEW = ("orig", "u", "v"), ("original", "0._u", "0._v")
PRUNED = ("orig", "mask")
NORM_OLD, NORM_NEW = ("g", "v"), ("original0", "original1")
ORTHOGONAL, UNTOLD = ("original", "0.base"), ("original",)

Pieces = Mapping[str, Tensor]


def folded(tensors: Mapping[str, Tensor], hints: Hints) -> dict[str, Tensor]:
    """Return the weights that are stored in pieces, by the plain names that they are used under; nothing is read."""
    pieces_by_path: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if match := NEW.fullmatch(name):
            pieces_by_path.setdefault(match["path"] + match["name"], {})[match["piece"]] = tensor
        elif match := OLD.fullmatch(name):
            pieces_by_path.setdefault(match["plain"], {})[match["piece"]] = tensor
    whole = (_whole(plain, pieces, hints) for plain, pieces in pieces_by_path.items() if plain not in tensors)
    return {tensor.name: tensor for tensor in whole if tensor is not None}


def _whole(plain: str, pieces: Pieces, hints: Hints) -> Tensor | None:
    """Return the weight of some pieces, None where they only look like some."""
    kind = tuple(pieces)
    fold = next((fold for names, fold in FOLDS.items() if set(names) == set(kind)), None)
    if fold and (tensor := fold(plain, pieces, hints)):
        return tensor
    main = next((pieces[name] for name in ("original", "original0", "orig") if name in pieces), None)
    return main and replace(derived(plain, main.shape, main.read, (*pieces.values(),)), dtype=_unknown(pieces))


def _unknown(pieces: Pieces) -> str:
    if any("lora" in name.lower() for name in pieces):
        return "with low-rank deltas: LoRA"
    words = ", ".join(sorted(name for name in pieces if name not in ("original", "orig")))
    return f"with a parametrisation of {words or 'its own'}, which is not known"


def _normed(plain: str, pieces: Pieces, hints: Hints) -> Tensor | None:
    """W = g v / ‖v‖, the norm over the axes along which g is 1."""
    g, v = (pieces[name] for name in (NORM_OLD if "g" in pieces else NORM_NEW))
    fits = not g.shape or (
        len(g.shape) == len(v.shape) and all(norm in (1, size) for norm, size in zip(g.shape, v.shape, strict=True))
    )
    if not fits or ("g" in pieces and not NORMED.fullmatch(plain)):
        return None
    return derived(plain, v.shape, partial(_weight_norm, g, v), (g, v))


def _weight_norm(g: Tensor, v: Tensor) -> Array:
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        length, direction = g.read().astype(np.float64), v.read().astype(np.float64)
        over = tuple(axis for axis in range(direction.ndim) if length.ndim == 0 or length.shape[axis] == 1)
        normed: Array = direction * (length / np.sqrt(np.sum(direction**2, axis=over, keepdims=True)))
    return normed


def _spectral(plain: str, pieces: Pieces, hints: Hints) -> Tensor | None:
    """W / σ with σ = uᵀ W v, u and v being the stored estimates: what the forward pass uses outside training."""
    W, u, v = (pieces[name] for name in (SPECTRAL_OLD if "orig" in pieces else SPECTRAL_NEW))
    if len(W.shape) != 2 or (u.shape, v.shape) != ((W.shape[0],), (W.shape[1],)):
        return None

    def read() -> Array:
        matrix, left, right = (each.read().astype(np.float64) for each in (W, u, v))
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            normed: Array = matrix / (left @ matrix @ right)
        return normed

    return derived(plain, W.shape, read, (W, u, v))


def _pruned(plain: str, pieces: Pieces, hints: Hints) -> Tensor | None:
    """W = original · mask, entry by entry."""
    W, mask = (pieces[name] for name in PRUNED)
    if W.shape != mask.shape or mask.dtype not in (*FLOATS, "bool", "uint8", "int8", "int32", "int64"):
        return None
    return derived(plain, W.shape, lambda: W.read() * mask.read(), (W, mask))


def _orthogonal(plain: str, pieces: Pieces, hints: Hints) -> Tensor | None:
    """B Q(X); without a base nothing tells it from a parametrisation of the user's own, but the user."""
    from vanishgrad.weights.orthogonal import MAPS, orthogonal, usual_map

    X, base = pieces["original"], pieces.get("0.base")
    if len(X.shape) != 2 or 0 in X.shape or (base and base.shape != (max(X.shape),) * 2):
        return None
    if base is None and hints.orthogonal_map is None:
        return None
    name = hints.orthogonal_map or usual_map(X.shape)
    others = " or ".join(each for each in MAPS if each != name)
    note = english(
        "{tensor}: orthogonal map {name} is taken, PyTorch's for {shapes}; --orthogonal-map {others} chooses another",
        tensor=shown(plain), name=name, others=others,
        shapes=english("a square") if X.shape[0] == X.shape[1] else english("this shape"),
    )  # fmt: skip
    if hints.orthogonal_map:
        note = english(
            "{tensor}: orthogonal map {name} is taken because --orthogonal-map says so", tensor=shown(plain), name=name
        )

    def read() -> Array:
        return orthogonal(X.read(), None if base is None else base.read(), name)

    return replace(derived(plain, X.shape, read, tuple(pieces.values())), note=note)


FOLDS: Mapping[tuple[str, ...], Callable[[str, Pieces, Hints], Tensor | None]] = {
    NORM_OLD: _normed,
    NORM_NEW: _normed,
    SPECTRAL_OLD: _spectral,
    SPECTRAL_NEW: _spectral,
    PRUNED: _pruned,
    ORTHOGONAL: _orthogonal,
    UNTOLD: _orthogonal,
}
"""The names of all pieces of a weight → how they fold."""


def without_pieces(tensors: Mapping[str, Tensor], hints: Hints) -> dict[str, Tensor]:
    """Return the tensors with those stored in pieces folded, and their pieces gone."""
    whole = folded(tensors, hints)
    pieces = {leaf.name for tensor in whole.values() for leaf in tensor.stored}
    return {**{name: each for name, each in tensors.items() if name not in pieces}, **whole}


def leaf_names(tensors: Iterable[Tensor]) -> tuple[str, ...]:
    """Return the names of the stored tensors that some are made of, each once."""
    return tuple(dict.fromkeys(leaf.name for tensor in tensors for leaf in tensor.stored))
