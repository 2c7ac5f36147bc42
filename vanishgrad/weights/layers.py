"""A recurrent layer found in a file: what it is, why it is taken for that, and how to build its cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.build import assembled
from vanishgrad.weights.gate_order import Stacking
from vanishgrad.weights.hints import Reading
from vanishgrad.weights.tensors import FLOATS, Tensor, contains_parts, shape_text, shown
from vanishgrad.weights.twins import said_once


@dataclass(frozen=True, eq=False)
class Layer:
    """One direction of one recurrent layer, none of its numbers read yet.

    Attributes
    ----------
    name : str
        ``PATH[.INDEX][.reverse]``.
    path : str
        The module that it belongs to.
    file : str
        Where it was found.
    cell : str
        ``rnn``, ``gru`` or ``lstm``.
    variant : str
        ``projected``, ``peephole``, ``coupled`` (f = 1 - i), ``clipped``, ``untied``, ``layer-normalised``, or empty.
    hidden_size, input_size : int
    layer_index : int
        Its place in a stack of several layers.
    direction : str
        ``forward`` or ``backward``.
    layout : str
        Whose names, gate order and orientation: a row of the layout table.
    why : str
        A sentence: what it was recognised by.
    reading : Reading
        Activations and reset convention.
    assumptions : tuple of str
        A sentence for each choice that the file leaves open, with its flag.
    masked_by : str
        What masks steps before they reach the layer, as the file says: ``mask_zero``, ``Masking VALUE``, or
        ``Masking VALUE before NAME`` of a layer that changes what was masked, or empty.
    epsilon, clip : float or None
        ε of its layer norms, and what its cell state is clipped at; None without.
    without : tuple of str
        Tensors of its module that the user left out of the reading with `--ignore`.
    twins : tuple of str
        Names of later layers of the file that hold the same numbers and are not said again.
    front : callable or None
        What stands before the recurrence in its block, of inputs (B, T, d), where that is not the layer's own W_hx.
    starts_empty : bool
        Whether a start of zeros is a memory that holds nothing, on which no later state depends.
    roles : mapping from str to Tensor
        ``W_hx``, ``W_hh`` and, where present, ``b_x``, ``b_h``, ``W_hr`` (projection), ``w_c`` (peepholes); of layer
        norms ``gain_x``, ``shift_x`` and so on for h and c.
    stacking : Stacking
    driven_by : tuple of str or None
        Names of the layers whose outputs, side by side, are its input; empty if no recurrent layer drives it; None if
        the file does not tell.
    """

    name: str
    path: str
    file: str
    cell: str
    hidden_size: int
    input_size: int
    layout: str
    why: str
    reading: Reading
    roles: Mapping[str, Tensor]
    stacking: Stacking
    variant: str = ""
    layer_index: int = 0
    direction: str = "forward"
    driven_by: tuple[str, ...] | None = None
    assumptions: tuple[str, ...] = ()
    masked_by: str = ""
    epsilon: float | None = None
    clip: float | None = None
    without: tuple[str, ...] = ()
    twins: tuple[str, ...] = ()
    front: Callable[[Array], Array] | None = None
    starts_empty: bool = False

    @property
    def label(self) -> str:
        """Its name, with those of its twins: ``rnn (= rnn_1)``."""
        return f"{self.name} (= {', '.join(self.twins)})" if self.twins else self.name

    @property
    def names(self) -> tuple[str, ...]:
        """Its name and its twins', each of which an option may say."""
        return (self.name, *self.twins)

    @property
    def gate_rows(self) -> int:
        """The entries g·n of a bias."""
        return len(self.stacking.order(self.cell)) * self.hidden_size

    @property
    def dtype(self) -> str:
        """How the weights are stored; several are joined by a plus."""
        return "+".join(sorted({tensor.dtype for tensor in self.tensors}))

    @property
    def output_size(self) -> int:
        """The width of h: the projection's, if there is one."""
        projection = self.roles.get("W_hr")
        return projection.shape[0] if projection else self.hidden_size

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The layer's own tensors as the file has them, by name."""
        stored = {leaf.name: leaf for tensor in self.roles.values() for leaf in tensor.stored}
        return tuple(stored[name] for name in sorted(stored))

    @cached_property
    def sha256(self) -> str:
        """The digest of the layer's weights by role: dtype, shape, numbers in C order; no name of the file."""
        import hashlib

        digest = hashlib.sha256()
        for role, tensor in sorted(self.roles.items()):
            digest.update(f"{role}\0{tensor.dtype}\0{tensor.shape}\0".encode(errors="surrogatepass"))
            values = tensor.read()
            digest.update(np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"), copy=False)).data)
        return digest.hexdigest()

    def build(self, dtype: npt.DTypeLike = np.float64) -> Cell:
        """Return the cell; only this layer's tensors are read.

        Raises
        ------
        VanishgradError
            If a tensor is damaged or holds NaN or infinity.
        """
        with np.errstate(invalid="ignore", over="ignore"):
            return assembled(self, dtype)

    def numbers(self, role: str) -> Array | None:
        """Return the array of a role as it is stored, None if the layer has none.

        Raises
        ------
        VanishgradError
            If it holds NaN or infinity.
        """
        if role not in self.roles:
            return None
        tensor = self.roles[role]
        values = tensor.read()
        if not np.isfinite(values).all():
            raise VanishgradError(
                f"expected finite weights, got {_first_bad(values)} in {shown(tensor.name)} of {self.file}; "
                "try a checkpoint from before the training diverged"
            )
        return values


def _first_bad(values: Array) -> str:
    place = np.argwhere(~np.isfinite(values))[0].tolist()
    return f"{values[tuple(place)]} at {place}"


@dataclass(frozen=True, eq=False)
class LayerFile:
    """The recurrent layers of a file, in the file's order.

    Attributes
    ----------
    path, format : str
    layers : tuple of Layer
    refused : tuple of str
        A sentence for each recurrent layer that was seen and cannot be read.
    tensors : mapping from name to Tensor
        Everything in the file: an embedding is one of them.
    calls : tuple of str
        Callables that a pickle asks for and no file of weights needs; none was run.
    has_twins : bool
        Whether layers of the same numbers are one; not where each is a call of its own.
    embeddings : mapping from str to str
        The user's name of an embedding, where the file has another for its matrix → that name.
    """

    path: str
    format: str
    layers: tuple[Layer, ...]
    refused: tuple[str, ...] = ()
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    calls: tuple[str, ...] = ()
    has_twins: bool = True
    embeddings: Mapping[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, name: str) -> Layer:
        """Return the layer of exactly this name."""
        (layer,) = (each for each in self.select([name]) if name in each.names)
        return layer

    @cached_property
    def distinct(self) -> tuple[Layer, ...]:
        """The layers, each of those that hold the same numbers once."""
        return said_once(self.layers) if self.has_twins else self.layers

    def select(self, names: Sequence[str] = (), flag: str = "--layer") -> tuple[Layer, ...]:
        """Return the layers named by an option, and all under a path that is named; all of them if none is.

        Raises
        ------
        VanishgradError
            If a name fits no layer.
        """
        selection = [
            layer
            for layer in self.distinct
            if not names or any(is_under(own, name) for own in layer.names for name in names)
        ]
        for name in names:
            if not any(is_under(layer.name, name) for layer in self.layers):
                raise VanishgradError(
                    f"expected {flag} to name a layer of {self.path}, got {shown(name)}; "
                    f"try {_nearest(name, [layer.name for layer in self.layers])}"
                )
        return tuple(selection)

    def embedding(self, name: str) -> Array:
        """Return the rows of an embedding of this file, (tokens, width), float64.

        Its name, or a run of whole parts of it that no other matrix has: the layer's name.

        Raises
        ------
        VanishgradError
            If there is no such matrix.
        """
        matrices = [each for each, tensor in self.tensors.items() if len(tensor.shape) == 2 and tensor.dtype in FLOATS]
        own_names = {own for known, own in self.embeddings.items() if contains_parts(known, name)} & set(matrices)
        fitting = sorted(own_names) or [each for each in matrices if contains_parts(each, name)]
        name = fitting[0] if name not in matrices and len(fitting) == 1 else name
        if name not in matrices:
            description = shape_text(self.tensors[name].shape) if name in self.tensors else "no such tensor"
            likely = _nearest(name, [*self.embeddings, *matrices]) if matrices else "a file that holds the embedding"
            raise VanishgradError(
                f"expected --embedding to name a matrix of floats in {self.path}, got {shown(name)} ({description}); "
                f"try {likely}"
            )
        return self.tensors[name].read().astype(np.float64)


def is_under(name: str, path: str) -> bool:
    """Whether a layer's name is a path, or stands under it."""
    return name == path or name.startswith(path + ".")


def _nearest(name: str, names: Sequence[str]) -> str:
    from difflib import get_close_matches

    return ", ".join(map(shown, get_close_matches(name, names, 5, 0.5) or list(names)[:5]))
