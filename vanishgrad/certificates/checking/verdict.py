"""Verdict of a check, and how it gets there: one inequality after the other."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class CertificateVerdict(Enum):
    """What may be said of a certificate."""

    VALID = "valid"
    INVALID = "invalid"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Verification:
    """The verdict on a certificate.

    Attributes
    ----------
    verdict : CertificateVerdict
    reason : str
        The claim, if it is valid; else the first inequality that fails or cannot be decided.
    shown : tuple of str
        The inequalities that were shown to hold, in order.
    """

    verdict: CertificateVerdict
    reason: str
    shown: tuple[str, ...]


class Refuted(Exception):
    """An inequality that the certificate needs is false."""


class Undecided(Exception):
    """An inequality that the certificate needs could be neither shown nor refuted."""


class Inequalities:
    """The inequalities shown so far."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def demand(self, holds: bool | None, inequality: str) -> None:
        """Note an inequality that holds.

        Raises
        ------
        Refuted, Undecided
            If it does not; if that is not known (None).
        """
        if holds is None:
            raise Undecided(inequality)
        if not holds:
            raise Refuted(inequality)
        self.shown.append(inequality)
