"""Whether tensors in their roles fit together as a layer, and which cell their shapes make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells.activations import SIGMOID, Activation
from vanishgrad.cells.cell_row import CellRow
from vanishgrad.cells.registry import CELLS
from vanishgrad.languages import english
from vanishgrad.weights.gate_order import STACKINGS, Stacking
from vanishgrad.weights.hints import Hints, Reading, Stated, Unreadable, reading
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts.conventions import gates_apart
from vanishgrad.weights.tensors import FLOATS, Tensor, TensorFile, derived, shape_text, shown

UNTIED = "untied"
"""The variant whose recurrent weights have a leading axis of time."""


def fitted(
    file: TensorFile,
    name: str,
    roles: Mapping[str, Tensor],
    stacking: Stacking,
    hints: Hints,
    stated: Stated,
    why: str,
    usual_gate: Activation = SIGMOID,
    **rest: Any,
) -> Layer:
    """Return the layer that tensors make in these roles.

    Raises
    ------
    Unreadable
        If they do not fit together, or the user contradicts what they say.
    """
    stacking = chosen_stacking(stacking, hints, stated)
    require_floats(roles)
    _require_one_form(roles)
    cell, hidden_size = gates(roles, stacking, hints, stated.cell, rest.get("variant") == UNTIED)
    stacking, roles, notes = _as_told(cell, hidden_size, stacking, roles, hints, stated)
    variant: Reading = reading(cell, hints, stated, usual_gate)
    return Layer(
        name=name,
        path=rest.pop("path", name),
        file=file.path,
        cell=cell,
        hidden_size=hidden_size,
        input_size=stacking.columns(roles["W_hx"].shape)[1],
        why=why,
        reading=variant,
        roles=roles,
        stacking=stacking,
        assumptions=(*rest.pop("assumptions", ()), *notes, *_notes(roles), *variant.assumptions),
        **rest,
    )


def _as_told(
    cell: str, n: int, stacking: Stacking, roles: Mapping[str, Tensor], hints: Hints, stated: Stated
) -> tuple[Stacking, Mapping[str, Tensor], tuple[str, ...]]:
    """Return stacking and roles in the order of gates and with the forget bias that the user says, and notes."""
    notes: tuple[str, ...] = ()
    row = CELLS[cell]
    if hints.gates and sorted(hints.gates) == sorted(row.gates) and hints.gates != stacking.order(cell):
        if stated.layout:
            raise Unreadable(
                f"expected gates {stacking.order(cell)}, as the file says, got --gates {hints.gates}; try without it"
            )
        stacking = stacking.ordered(cell, hints.gates)
        notes += (english("gate order {gates} is taken because --gates says so", gates=" ".join(hints.gates)),)
    if hints.interleaved and len(row.gates) > 1:
        if stated.layout:
            raise Unreadable("expected one block for each gate, as the file says, got --interleaved; try without it")
        roles = {role: _apart(role, tensor, len(row.gates), stacking) for role, tensor in roles.items()}
        notes += (english("gates are taken to alternate unit by unit because --interleaved says so"),)
    if hints.forget_offset and row.output and row.keep:
        start = stacking.order(cell).index(row.keep) * n
        roles = {**roles, "b_x": _raised(roles, start, n, len(row.gates) * n, hints.forget_offset)}
        notes += (
            english(
                "{offset} is added to the forget gate's bias because --forget-offset says so",
                offset=f"{hints.forget_offset:g}",
            ),
        )
    return stacking, roles, notes


def _apart(role: str, tensor: Tensor, gates: int, stacking: Stacking) -> Tensor:
    """Return a tensor with its gates as blocks, if it has a place for each."""
    if role not in ("W_hh", "W_hx", "b_x", "b_h"):
        return tensor
    return gates_apart(tensor, gates, -1 if stacking.transposed or len(tensor.shape) == 1 else -2)


def _raised(roles: Mapping[str, Tensor], start: int, n: int, rows: int, offset: float) -> Tensor:
    bias = roles.get("b_x")

    def read() -> Array:
        values = np.zeros(rows) if bias is None else bias.read().astype(np.float64)
        values[start : start + n] += offset
        return values

    return derived(bias.name if bias else "bias", (rows,), read, (bias or roles["W_hh"],))


def _notes(roles: Mapping[str, Tensor]) -> tuple[str, ...]:
    return tuple(each.note for each in roles.values() if each.note)


def chosen_stacking(stacking: Stacking, hints: Hints, stated: Stated) -> Stacking:
    """Return the user's gate order and orientation, or the layout's own."""
    if hints.layout in (None, stacking.name):
        return stacking
    if stated.layout:
        raise Unreadable(
            f"expected layout {stated.layout}, as the file says, got --layout {hints.layout}; try without it"
        )
    return STACKINGS[str(hints.layout)]


def require_floats(roles: Mapping[str, Tensor]) -> None:
    """Refuse integers, objects and everything else that holds no plain real numbers."""
    for tensor in roles.values():
        if tensor.dtype.startswith("with "):
            raise Unreadable(
                f"expected plain weights, got {tensor}; try torch.nn.utils.parametrize.remove_parametrizations, "
                "prune.remove, or merging the deltas before it is saved"
            )
        if tensor.dtype not in FLOATS:
            raise Unreadable(f"expected {', '.join(FLOATS)}, got {tensor}; try saving it before it was quantised")


def _require_one_form(roles: Mapping[str, Tensor]) -> None:
    """Refuse an LSTM with peepholes and a projection, which is none of our cells."""
    if "w_c" in roles and "W_hr" in roles:
        raise Unreadable(
            f"expected peepholes or a projection, got both, {roles['w_c']} and {roles['W_hr']}; try a model with one"
        )


def gates(
    roles: Mapping[str, Tensor], stacking: Stacking, hints: Hints, stated: str | None = None, is_untied: bool = False
) -> tuple[str, int]:
    """Return the cell and its hidden size, from the ratio of the recurrent matrix's sides."""
    for role, axes in (("W_hx", 2), ("W_hh", 3 if is_untied else 2)):
        if len(roles[role].shape) != axes or 0 in roles[role].shape:
            raise Unreadable(f"expected a matrix, got {roles[role]}; try a file with a plain recurrent layer")
    rows, hidden = stacking.columns(roles["W_hh"].shape[-2:])
    n = roles["W_hr"].shape[-1] if "W_hr" in roles else hidden
    cell = _of_gates(rows // n, stated or hints.cell_name) if n and rows % n == 0 else None
    if cell is None:
        raise Unreadable(
            f"expected n, 3n or 4n rows of recurrent weights for n columns in {stacking.name} layout, "
            f"got {roles['W_hh']}; try {_remedy(rows, n)}"
        )
    if hints.cell_name not in (None, cell):
        raise Unreadable(f"expected {rows // n}·n rows for --cell {cell}, got --cell {hints.cell}; try without it")
    _require_fitting(roles, stacking, rows, hidden, n)
    return cell, n


def _is_stacked(row: CellRow) -> bool:
    """Return whether stacked matrices and biases are all that a cell must be given."""
    tensors = set(row.cell_class.tensors)
    return "W_hh" in tensors and tensors <= {"W_hh", "W_hx", "b", "b_hn", "beta"} and len(row.parts) == 1


def _remedy(rows: int, n: int) -> str:
    """Return what to try where shapes alone say no cell."""
    possible = [row.name for row in CELLS.values() if n and rows == len(row.gates) * n and _is_stacked(row)]
    return " or ".join(f"--cell {name}" for name in possible) or "--layout for another orientation"


def _of_gates(count: int, named: str | None) -> str | None:
    """Return the cell that is named, if it has so many gates, else the one whose shapes alone say it."""
    possible = [
        row
        for row in CELLS.values()
        if len(row.gates) == count and (row.by_shape or (row.name == named and _is_stacked(row)))
    ]
    return max((row.name for row in possible), key=lambda name: name == named, default=None)


def _require_fitting(roles: Mapping[str, Tensor], stacking: Stacking, rows: int, hidden: int, n: int) -> None:
    shapes: dict[str, tuple[int, ...]] = {"b_x": (rows,), "b_h": (rows,), "W_hr": (hidden, n), "w_c": (3 * n,)}
    shapes |= {f"{kind}_{place}": (n if place == "c" else rows,) for kind in ("gain", "shift") for place in "xhc"}
    if stacking.columns(roles["W_hx"].shape)[0] != rows:
        raise Unreadable(
            f"expected input weights with {rows} gate rows beside {roles['W_hh']}, got {roles['W_hx']}; "
            "try the file that they were saved in together"
        )
    for role, shape in shapes.items():
        if role in roles and roles[role].shape != shape:
            raise Unreadable(
                f"expected {shown(roles[role].name)} to be {shape_text(shape)} beside {roles['W_hh']}, "
                f"got {shape_text(roles[role].shape)}; try the file that they were saved in together"
            )
