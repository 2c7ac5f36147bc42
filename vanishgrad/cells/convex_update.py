"""Cells whose new state is a convex combination of the old one and a candidate: h_t = k ⊙ h_{t-1} + (1 - k) ⊙ n̂_t."""

from __future__ import annotations

from abc import abstractmethod

from vanishgrad.arrays import Array, is_extended, namespace
from vanishgrad.cells.cell import Cell
from vanishgrad.cells.masked_steps import HANDED_ON, NOT_BEGUN

NEARLY_LOST = 1e-30
"""Differences that floating point holds to the last digit, in float32 too."""
LOST = 1e-300
"""Differences above it are in floating point's range, whatever digits they have."""
AGREEMENT = 2.0**-18
"""To which the difference of a state and a candidate that has been followed is that of the numbers themselves."""


class ConvexUpdate(Cell):
    r"""h_t = k ⊙ h_{t-1} + (1 - k) ⊙ n̂_t, of which J_t has h_{t-1} - n̂_t as a factor.

    Where the candidate saturates, h and n̂ round to the same number. Their difference is kept by a recurrence of its
    own, in which nothing cancels but what does in exact arithmetic:

        h_t - n̂_{t+1} = k_t (h_{t-1} - n̂_t) + (n̂_t - n̂_{t+1}) .

    A record ends with the pre-activation of the candidate, what a gate multiplies, and that difference.
    """

    @abstractmethod
    def factors(self, record: Array) -> tuple[Array, Array]:
        """Return k and 1 - k, both to their last digit."""

    def split(self, a: Array) -> list[Array]:
        """Return the shares of the gates and the candidate, and in a record of what comes behind them."""
        n = self.hidden_size
        return [a[..., j * n : (j + 1) * n] for j in range(a.shape[-1] // n)]

    @property
    def record_size(self) -> int:
        """How many numbers a step keeps: the pre-activations, what a gate multiplies, and h_{t-1} - n̂_t."""
        return int(self.W_hh.shape[-2]) + 2 * self.hidden_size

    def state(self, record: Array, s: Array) -> Array:
        """Return h_t = k ⊙ h_{t-1} + (1 - k) ⊙ n̂, where the complement keeps its digits."""
        keep, write = self.factors(record)
        return keep * s + write * self.activation.phi(self.split(record)[-3])

    def with_differences(
        self, records: Array, states: Array, before: Array | None = None, marks: Array | None = None
    ) -> Array:
        """Return the records with h_{t-1} - n̂_t in their last places."""
        xp, a_n, first = namespace(records), self.split(records)[-3], int(before is None)
        earlier = records[:-1] if before is None else xp.concat([before[None], records[:-1]])
        directly = self.activation.distance(states[:-1], a_n)
        keep, change = self.factors(earlier)[0], self.activation.difference(self.split(earlier)[-3], a_n[first:])
        if marks is not None:
            zeros, ones = xp.zeros_like(keep), xp.ones_like(keep)
            alone, handed_on = marks[first:-1, :, None] == NOT_BEGUN, marks[first + 1 :, :, None] == HANDED_ON
            keep, change = xp.where(alone, zeros, keep), xp.where(alone, directly[first:], change)
            keep, change = xp.where(handed_on, ones, keep), xp.where(handed_on, zeros, change)
        start = directly[0] if before is None else self.split(before)[-1]
        followed = _followed(start, keep, change)
        if is_extended(records):
            followed = self._beyond_range(records, directly[first:], followed, states[first:-1])
            # The first of these steps need not be the first of its run.
            in_range = self.split(records)[-1][:1]
            directly[:1] = xp.where(xp.abs(in_range) > LOST, in_range, directly[:1])
        records[..., -self.hidden_size :] = directly
        records[first:, ..., -self.hidden_size :] = followed
        return records

    def _beyond_range(self, records: Array, directly: Array, followed: Array, h: Array) -> Array:
        """Return the differences in extended range where they have left floating point."""
        *_, a_n, _, difference = self.split(records[len(records) - len(directly) :])
        xp, size = namespace(records), namespace(records).abs(h) + namespace(records).abs(self.activation.phi(a_n))
        # A sequence that begins with a step is not where the step before would have led.
        nearest = xp.where(xp.abs(followed - directly) <= size * AGREEMENT, followed, directly)
        in_range: Array = xp.where(xp.abs(difference) > NEARLY_LOST, difference, nearest)
        return in_range


def _followed(start: Array, keep: Array, changes: Array) -> Array:
    """Return D_1, D_2, … with D_t = k_t D_{t-1} + m_t; what leaves the range of floating point stays at its end."""
    xp, D, differences = namespace(start), start, list[Array]()
    for k, change in zip(keep, changes, strict=True):
        D = k * D + change
        differences.append(D)
    followed: Array = xp.stack(differences) if differences else changes
    if is_extended(start) or not xp.any((followed == 0) & (keep != 0)):
        return followed
    D = start
    for i, (k, change) in enumerate(zip(keep, changes, strict=True)):
        moved_on = k * D + change
        D = xp.where((moved_on == 0) & (k != 0) & (D != 0), xp.finfo(D.dtype).smallest_normal, moved_on)
        followed[i] = D
    return followed
