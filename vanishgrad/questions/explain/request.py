"""What an explanation is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from vanishgrad.curves.request import RunRequest
from vanishgrad.errors import UsageError
from vanishgrad.models.open import Source, holds_weights
from vanishgrad.questions.explain.truncation.loss import LossRequest


@dataclass(frozen=True)
class ExplainRequest(RunRequest):
    """Every option of an explanation.

    Attributes
    ----------
    source : str, path or mapping
        A MODEL, a file of weights, or name → array.
    only : tuple of str
        The sections to work out; all if empty.
    tokens : str or None
        A file with a name for each step of the first sequence, one a line: what the map's axes say.
    lags : tuple of int
        Where singular values are worked out; 1, powers of ten and the last if empty.
    exponents, lyapunov_steps : int or None
        How many Lyapunov exponents, and how many steps they are averaged over.
    loss, cotangent, truncation
        Of the section truncation, as for `LossRequest`.
    """

    source: Source
    only: tuple[str, ...] = ()
    tokens: str | None = None
    lags: tuple[int, ...] = ()
    exponents: int | None = None
    lyapunov_steps: int | None = None
    loss: str = "all"
    cotangent: str | None = None
    truncation: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.backend != "numpy":
            raise UsageError(
                f"expected --backend numpy for explain, got {self.backend!r}; try compare or analyze with it"
            )
        self.loss_request()

    @property
    def is_file(self) -> bool:
        """Whether the weights are a file's or a mapping's, and not drawn."""
        return holds_weights(self.source)

    def loss_request(self) -> LossRequest:
        """Return what is said of the loss whose gradient is truncated."""
        return LossRequest(self.loss, self.cotangent, self.truncation)
