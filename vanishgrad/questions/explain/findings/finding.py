"""A finding: what is the matter, the numbers that show it, and what would help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What one rule has found.

    Attributes
    ----------
    rule : str
        The rule's name.
    title : str
        Half a sentence that says it.
    severity : float
        Nats per step that it costs (or, where the gradient grows, adds); what is paid once is divided by T.
    evidence : mapping
        Name → number.
    remedies : tuple of str
        Names of changes to the weights that may help.
    advice : tuple of str
        What helps without changing them, without a number.
    """

    rule: str
    title: str
    severity: float
    evidence: Mapping[str, float]
    remedies: tuple[str, ...]
    advice: tuple[str, ...] = ()


SKIP = "shorter lags, or a skip connection over them"
CLIP = "clip the norm of the gradient in training"
