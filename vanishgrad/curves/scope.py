"""How much of a model is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Scope:
    """What of a model is measured.

    Attributes
    ----------
    curves : tuple of str or None
        The curves that are measured at every lag; None for all.
    last_input : bool
        Whether ``input`` is measured at the last lag of the longest and of the shortest sequence, if at no other.
    details : bool
        Whether singular values are counted, the share of the parameter gradient by lag is taken, and the bounds are
        that need products of their own.
    """

    curves: tuple[str, ...] | None = None
    last_input: bool = False
    details: bool = True

    def measures(self, curve: str) -> bool:
        """Whether a curve is measured at every lag."""
        return self.curves is None or curve in self.curves

    def renamed(self, names: Mapping[str, str]) -> Scope:
        """Return the same with other names for some curves."""
        if self.curves is None:
            return self
        return replace(self, curves=tuple(names.get(name, name) for name in self.curves))

    def covers(self, curve: str) -> bool:
        """Whether a curve is measured at some lag."""
        return self.measures(curve) or (curve == "input" and self.last_input)


EVERYTHING = Scope()
SUMMARY = Scope(("state",), last_input=True, details=False)
"""What a table and its sentences say."""
