"""Options of a picture: size, style, words, axes and what of the report is drawn, for all kinds alike.

They stand in a context while a picture is drawn; each part of it that knows an option asks for it, and one that no part
has asked for is refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from vanishgrad.errors import UsageError, VanishgradError

ENDS, INSIDE, NONE = "ends", "inside", "none"
LEGENDS = (ENDS, INSIDE, NONE)
"""At the ends of lines or beside their panel; in the first panel, where there is room; not at all."""
XSCALES = ("linear", "log")
LARGEST_SIZE = 100.0
"""Inches."""
EVERYWHERE = ("size", "style", "title", "caption")
"""Options that every picture takes."""

T = TypeVar("T")


@dataclass(frozen=True)
class PictureOptions:
    """How a picture is drawn; None and () leave it as it is.

    Attributes
    ----------
    size : (float, float) or None
        Width and height in inches; panels take what text leaves.
    style : str or None
        A style of matplotlib's, or a file of its settings.
    title : str or None
        Instead of the picture's own; empty for none.
    caption : bool
        Whether there is a line below the title, and a caption.
    legend : str or None
        One of `LEGENDS`.
    xscale : str or None
        One of `XSCALES`, of lags.
    ylim : (float, float) or None
        Ends of the axis of norms.
    curves, models : tuple of str
        Those to draw.

    Raises
    ------
    UsageError
        For a value that cannot be.
    """

    size: tuple[float, float] | None = None
    style: str | None = None
    title: str | None = None
    caption: bool = True
    legend: str | None = None
    xscale: str | None = None
    ylim: tuple[float, float] | None = None
    curves: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    taken: set[str] = field(default_factory=lambda: set(EVERYWHERE), compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.size is not None and not all(0 < each <= LARGEST_SIZE for each in self.size):
            raise UsageError(f"expected --size WIDTHxHEIGHT in inches, got {self.size}; try --size 3.25x2.1")
        for name, known in (("legend", LEGENDS), ("xscale", XSCALES)):
            value = getattr(self, name)
            if value not in (None, *known):
                raise UsageError(f"expected --{name} {' or '.join(known)}, got {value!r}")
        if self.ylim is not None and not 0 < self.ylim[0] < self.ylim[1] < math.inf:
            raise UsageError(f"expected --ylim LOW,HIGH with 0 < LOW < HIGH, got {self.ylim}; try --ylim 1e-12,10")

    def demand_taken(self, kind: str) -> None:
        """Refuse an option that the picture has not asked for."""
        for option in fields(self):
            value = getattr(self, option.name)
            if option.name != "taken" and value not in (None, ()) and option.name not in self.taken:
                name = option.name.removesuffix("s") if option.name in ("curves", "models") else option.name
                raise UsageError(f"expected no --{name} with the picture {kind!r}, which has none; try without")


def options_named(options: Mapping[str, Any]) -> PictureOptions:
    """Return the options of a call in Python; one curve or model may stand alone.

    Raises
    ------
    UsageError
        For one that there is not.
    """
    known = [each.name for each in fields(PictureOptions) if each.name != "taken"]
    for name in options:
        if name not in known:
            raise UsageError(f"expected an option out of {', '.join(known)}, got {name!r}; try one of them")
    several = {name: options[name] for name in ("curves", "models") if name in options}
    tuples = {name: (value,) if isinstance(value, str) else tuple(value) for name, value in several.items()}
    return PictureOptions(**{**options, **tuples})


PLAIN = PictureOptions()
_CURRENT: ContextVar[PictureOptions] = ContextVar("picture_options", default=PLAIN)


@contextmanager
def drawn_with(options: PictureOptions, kind: str) -> Iterator[None]:
    """Draw with these options; in the end refuse those that the picture has not asked for."""
    own = PictureOptions(**{each.name: getattr(options, each.name) for each in fields(options) if each.name != "taken"})
    token = _CURRENT.set(own)
    try:
        yield
        own.demand_taken(kind)
    finally:
        _CURRENT.reset(token)


def picture_option(name: str) -> Any:
    """Return an option of the picture that is drawn, and note that it has an effect."""
    options = _CURRENT.get()
    options.taken.add(name)
    return getattr(options, name)


def legend_place() -> str:
    """Return where the names of lines stand."""
    return picture_option("legend") or ENDS


def chosen(items: Sequence[T], labels: Sequence[str]) -> list[T]:
    """Return those of a report's models, or layers, that are asked for, by label or the beginning of one.

    Raises
    ------
    UsageError
        For a name that none has.
    """
    names = picture_option("models")
    for name in names:
        if not any(label == name or label.startswith((f"{name}.", f"{name}:", f"{name}@")) for label in labels):
            raise UsageError(f"expected --model out of {', '.join(labels)}, got {name!r}; try one of them")
    exact = [label for label in labels if label in names]
    return [
        item
        for item, label in zip(items, labels, strict=True)
        if not names
        or label in exact
        or any(label.startswith((f"{name}.", f"{name}:", f"{name}@")) and name not in labels for name in names)
    ]


def apply_style(settings: dict[Any, Any]) -> None:
    """Set the style that is asked for over matplotlib's present settings.

    Raises
    ------
    UsageError, VanishgradError
        If there is none of that name, or its file is no style.
    """
    name = picture_option("style")
    if name is None:
        return
    import matplotlib
    from matplotlib.style import library

    if name in library:
        settings.update(library[name])
    elif Path(name).is_file():
        try:
            settings.update(matplotlib.rc_params_from_file(name, use_default_template=False))
        except (OSError, UnicodeDecodeError, ValueError) as error:
            raise VanishgradError(
                f"expected a style of matplotlib in {name!r}, got {error}; try --style ggplot"
            ) from None
    else:
        known = ", ".join(sorted(each for each in library if not each.startswith("_"))[:6])
        raise UsageError(
            f"expected --style out of matplotlib's ({known}, …) or a file, got {name!r}; try --style ggplot"
        )
