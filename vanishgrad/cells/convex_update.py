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
CANCELLED = 2.0**-4
"""Share of its terms at which a difference has lost digits."""
NEARER = 2.0**-10
"""Share of those terms at which the distances of both from the activation's end say more."""


class ConvexUpdate(Cell):
    r"""h_t = k ⊙ h_{t-1} + (1 - k) ⊙ n̂_t, of which J_t has h_{t-1} - n̂_t as a factor.

    Where the candidate saturates, h and n̂ round to the same number. Their difference is kept by a recurrence of its
    own, in which nothing cancels but what does in exact arithmetic:

        h_t - n̂_{t+1} = k_t (h_{t-1} - n̂_t) + (n̂_t - n̂_{t+1}) .

    Where these terms cancel, as the candidate comes to the end at which h has stayed, the distances of both from there
    tell it: 1 ± h_t = k_t (1 ± h_{t-1}) + (1 - k_t) (1 ± n̂_t) keeps its digits too.

    A record ends with the pre-activation of the candidate, what a gate multiplies, and that difference; a cell that is
    only in part such a combination says where its candidate stands, and which part that is.
    """

    @abstractmethod
    def factors(self, record: Array) -> tuple[Array, Array]:
        """Return k and 1 - k, both to their last digit."""

    def candidate(self, record: Array) -> Array:
        """Return the pre-activation of the candidate."""
        return self.split(record)[-3]

    def mixed(self, states: Array) -> Array:
        """Return the part of states that is mixed with the candidate."""
        return states

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
        return keep * s + write * self.activation.phi(self.candidate(record))

    def with_differences(
        self, records: Array, states: Array, before: Array | None = None, marks: Array | None = None
    ) -> Array:
        """Return the records with h_{t-1} - n̂_t in their last places."""
        xp, a_n, first = namespace(records), self.candidate(records), int(before is None)
        states = self.mixed(states)
        earlier = records[:-1] if before is None else xp.concat([before[None], records[:-1]])
        directly = self.activation.distance(states[:-1], a_n)
        (keep, write), a_before, h = self.factors(earlier), self.candidate(earlier), states[first:-1]
        change = self.activation.difference(a_before, a_n[first:])
        if marks is not None:
            zeros, ones = xp.zeros_like(keep), xp.ones_like(keep)
            alone, handed_on = marks[first:-1, :, None] == NOT_BEGUN, marks[first + 1 :, :, None] == HANDED_ON
            keep, change = xp.where(alone, zeros, keep), xp.where(alone, directly[first:], change)
            keep, change = xp.where(handed_on, ones, keep), xp.where(handed_on, zeros, change)
            write = xp.where(alone | handed_on, zeros, write)
        start = directly[0] if before is None else self.split(before)[-1]
        followed = _followed(start, keep, change)
        if is_extended(records):
            followed = self._beyond_range(records, directly[first:], followed, h)
            # The first of these steps need not be the first of its run.
            in_range = self.split(records)[-1][:1]
            directly[:1] = xp.where(xp.abs(in_range) > LOST, in_range, directly[:1])
        elif self.activation.tail is not None and len(followed) and _may_stand_beside_an_end(h, start):
            ends = self.activation.ends(xp.concat([a_before[:1], a_n[first:]]))
            if _cancels(followed, start, keep, ends, h):
                s_0 = states[0] if before is None else None
                followed = _followed_beside_ends(start, s_0, keep, change, write, ends, h)
        records[..., -self.hidden_size :] = directly
        records[first:, ..., -self.hidden_size :] = followed
        return records

    def _beyond_range(self, records: Array, directly: Array, followed: Array, h: Array) -> Array:
        """Return the differences in extended range where they have left floating point."""
        records = records[len(records) - len(directly) :]
        a_n, difference = self.candidate(records), self.split(records)[-1]
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


def _may_stand_beside_an_end(h: Array, start: Array) -> bool:
    """Return whether any state is near enough to ±1 for `_cancels`: in most runs none is."""
    xp = namespace(h)
    largest_terms = 4 + float(xp.max(xp.abs(start)))  # n̂ and, from the second step on, h are within ±1 here
    return bool(1 - float(xp.max(xp.abs(h))) < NEARER * largest_terms)


def _cancels(followed: Array, start: Array, keep: Array, ends: tuple[Array, Array], h: Array) -> bool:
    """Return whether a difference is far below what it was made of, and h and n̂ are both that near to an end."""
    xp = namespace(h)
    before = xp.abs(keep * xp.concat([start[None], followed[:-1]]))
    terms = before + xp.minimum(*(end[:-1] + end[1:] for end in ends))
    known_to = 4 * xp.finfo(h.dtype).eps  # a state may be nearer to an end than it can say
    distances = [xp.abs(1 + sign * h) for sign in (1, -1)]
    beside = xp.minimum(
        *(xp.where(each > known_to, each, 0 * each) + end[1:] for each, end in zip(distances, ends, strict=True))
    )
    return bool(xp.any((xp.abs(followed) < CANCELLED * terms) & (beside < NEARER * terms)))


def _followed_beside_ends(
    start: Array,
    s_0: Array | None,
    keep: Array,
    changes: Array,
    write: Array,
    ends: tuple[Array, Array],
    h: Array,
) -> Array:
    """Return D_1, D_2, … each by the way whose terms' roundings have added up to least.

    `ends` are 1 + n̂ and 1 - n̂ from the step before the first difference on, `h` the states that the differences are of,
    `s_0` the one before them at the beginning of a run.
    """
    xp, signs, D, differences = namespace(start), (1, -1), start, list[Array]()
    error = xp.abs(start) + xp.minimum(*(end[0] for end in ends))
    if s_0 is None:
        distances = [sign * start + end[0] for sign, end in zip(signs, ends, strict=True)]
        errors = [xp.abs(start) + end[0] for end in ends]
    else:
        distances = [1 + sign * s_0 for sign in signs]
        errors = [xp.abs(distance) for distance in distances]
    for i, (k, change, w) in enumerate(zip(keep, changes, write, strict=True)):
        before, D = D, k * D + change
        error = k * (error + xp.abs(before)) + xp.minimum(*(end[i] + end[i + 1] for end in ends))
        for j, (sign, end) in enumerate(zip(signs, ends, strict=True)):
            distance = k * distances[j] + w * end[i]
            of_distance = k * errors[j] + xp.abs(distance)
            # What has not been followed, or not well, is told by the state itself.
            directly = (k + w == 0) | (of_distance > 1)
            distances[j] = xp.where(directly, 1 + sign * h[i], distance)
            errors[j] = xp.where(directly, xp.ones_like(D), of_distance)
            better = errors[j] + end[i + 1] < error
            D = xp.where(better, sign * (distances[j] - end[i + 1]), D)
            error = xp.where(better, errors[j] + end[i + 1], error)
        D = xp.where((D == 0) & (k != 0) & (before != 0), xp.finfo(D.dtype).smallest_normal, D)
        differences.append(D)
    followed: Array = xp.stack(differences)
    return followed
