"""At which lags, and of which blocks, the singular values of a run are worked out."""

from __future__ import annotations

from vanishgrad.cells import Cell
from vanishgrad.curves.recorder import alive_lags
from vanishgrad.errors import UsageError

MOST_WORK = 8 * 128**3
"""Trials times the cube of the state's size: eight LSTMs of 64 units."""


def spectral_trials(cell: Cell, trials: int) -> int:
    """Return how many trials are looked at: all of small networks, one of large ones."""
    return min(trials, max(1, MOST_WORK // cell.state_size**3))


def spectral_blocks(cell: Cell) -> dict[str, tuple[str, str] | None]:
    """Return name → (to, from) parts, None for the whole state.

    The whole state of an LSTM is never nearly isometric, its cell can be: so the cell's block stands beside it.
    """
    hidden = cell.parts[0].name
    return {"state": None, **{name: block for name, block in cell.curves.items() if hidden not in block}}


def spectral_lags(asked: tuple[int, ...], last: int) -> list[int]:
    """Return the lags asked for, or 1, the powers of ten and the last.

    Raises
    ------
    UsageError
        If a lag lies beyond the last.
    """
    if asked and max(asked) > last:
        raise UsageError(f"expected --lags up to {last}, got {max(asked)}; try --steps {max(asked)}")
    return sorted(set(asked or [1, *alive_lags(last)]))
