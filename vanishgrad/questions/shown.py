"""Reports as Python shows them: three lines in a console, table and picture in a notebook, data frames, figures."""

from __future__ import annotations

import html
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vanishgrad.questions.rendering import report_text
from vanishgrad.reports.documents.curve import CurveDocument
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.documents.report import ModelsDocument
from vanishgrad.reports.documents.report_document import ReportDocument
from vanishgrad.reports.sentences import driven_by, opening, span
from vanishgrad.reports.table import horizon

if TYPE_CHECKING:
    import pandas
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vanishgrad.questions.analyze import AnalyzeResult
    from vanishgrad.questions.compare import CompareResult
    from vanishgrad.questions.explain.explain import ExplainResult
    from vanishgrad.questions.learn.document import LearnDocument
    from vanishgrad.questions.sweep.document import SweepDocument

REPR_CHARACTERS = 100
"""Of a line in a console."""


@dataclass(frozen=True, eq=False, repr=False)
class Shown:
    """A JSON report with every way to show it.

    Attributes
    ----------
    typed : ReportDocument
        What the report says, as attributes: ``typed.models[0].curves["state"].horizon``.
    """

    typed: Any

    @cached_property
    def document(self) -> dict[str, Any]:
        """The JSON report as a dictionary."""
        return self.typed.to_dict()

    def to_json(self) -> str:
        """Return the JSON report."""
        return self.typed.to_json()

    def __str__(self) -> str:
        return report_text(self.typed, "table")

    def __repr__(self) -> str:
        return "\n".join(_shortened(line) for line in str(self).splitlines()[:3])

    def table(self) -> None:
        """Print the table, and return nothing; ``str(report)`` is its text."""
        sys.stdout.write(str(self))

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


@dataclass(frozen=True, eq=False, repr=False)
class TextReport(Shown):
    """What `check`, `diff`, `inspect` and `verify` found: ``str`` of it is what the command prints."""

    typed: ReportDocument
    text: Callable[[Any], str]

    def __str__(self) -> str:
        return self.text(self.typed)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.typed, name)


@dataclass(frozen=True, eq=False, repr=False)
class _Tables(Shown):
    def to_csv(self) -> str:
        """Return long CSV."""
        return report_text(self.typed, "csv")

    def to_markdown(self) -> str:
        """Return Markdown."""
        return report_text(self.typed, "markdown")

    def to_html(self) -> str:
        """Return a page: one HTML file with charts, in English and Chinese, the report inside."""
        return report_text(self.typed, "html")


@dataclass(frozen=True)
class ReportedModel:
    """A model of a report; its curves are attributes: ``report["encoder.1"].state.horizon``."""

    document: ModelDocument

    def __getattr__(self, name: str) -> CurveDocument:
        curves = self.document.curves
        if name not in curves:
            raise AttributeError(f"expected a curve out of {', '.join(curves)}, got {name!r}")
        return curves[name]

    def __dir__(self) -> list[str]:
        return ["document", *self.document.curves]

    def __repr__(self) -> str:
        return _shortened(_in_brief(self.document))


@dataclass(frozen=True, eq=False, repr=False)
class Report(_Tables):
    """What `compare`, `analyze` and `explain` found.

    Attributes
    ----------
    result : CompareResult, AnalyzeResult or ExplainResult
        Frozen, with natural logarithms.
    """

    typed: ModelsDocument
    result: CompareResult | AnalyzeResult | ExplainResult

    def __getitem__(self, label: str) -> ReportedModel:
        """Return one model by its label, or by the beginning of it that no other label has.

        Raises
        ------
        KeyError
            If there is none; the message has the nearest labels.
        """
        models = {model.label: model for model in self.typed.models}
        begun = [each for each in models if each.startswith(f"{label}.")]
        if label not in models and len(begun) == 1:
            return ReportedModel(models[begun[0]])
        if label not in models:
            raise KeyError(f"expected a model of the report, got {label!r}; "
                           f"try {', '.join(get_close_matches(label, models, 3, 0.3) or models)}")  # fmt: skip
        return ReportedModel(models[label])

    def __iter__(self) -> Iterator[ReportedModel]:
        return (ReportedModel(model) for model in self.typed.models)

    def __len__(self) -> int:
        return len(self.typed.models)

    def __repr__(self) -> str:
        models = self.typed.models
        steps = span(model.steps for model in models)
        first = opening(models) or f"input {driven_by(models)}"
        lines = (
            f"{self.typed.command}: {len(models)} model{'s' * (len(models) > 1)}, T = {steps}, {first}",
            "; ".join(map(_in_brief, models)),
            'report.table(), report.plot(), report["LABEL"].state, report.to_pandas()',
        )
        return "\n".join(map(_shortened, lines))

    def _repr_html_(self) -> str:
        from vanishgrad.questions.plot.render import available_kinds, render

        text = f"<pre>{html.escape(str(self))}</pre>"
        if "curves" not in available_kinds(self.typed):
            return text
        return text + render(self.typed, "curves", "svg").decode().partition("?>")[2]

    def plot(self, path: str | None = None, kind: str = "curves", *, ax: Axes | None = None, **options: Any) -> Figure:
        """Draw a picture; a notebook shows what is returned.

        Parameters
        ----------
        path : str, optional
            A .png, .svg or .pdf file to write, or the name of a kind.
        kind : str
            One of ``vanishgrad plot``; with `ax`, a curve: state (the default), input, cell, ….
        ax : Axes, optional
            Where one curve of every model is drawn, instead of on a page of its own.
        **options
            Those of ``vanishgrad plot``: size=(3.25, 2.1), style, title, caption, legend, xscale, ylim, curves, models.
        """
        from vanishgrad.questions.plot.render import draw, draw_into
        from vanishgrad.reports.figures.options import options_named
        from vanishgrad.reports.figures.output import saved

        names_kind = path is not None and "." not in path
        kind, target = (str(path), None) if names_kind else (kind, path)
        if ax is not None:
            return draw_into(ax, self.typed, "state" if kind == "curves" else kind)
        return saved(draw(self.typed, kind, options_named(options)), target)

    def to_pandas(self, curves: bool = False, trials: bool = False) -> pandas.DataFrame:
        """Return a row for each model: verdict, horizons, rates, gates.

        With `curves` one for each curve and lag; with `trials` one for each curve, trial and lag, of a report that was
        made with ``per_trial=True``.
        """
        from vanishgrad.reports.frames import by_lag, by_model, by_trial

        if trials:
            return by_trial(self.typed)
        return by_lag(self.typed) if curves else by_model(self.typed)

    def to_xarray(self) -> xarray.Dataset:
        """Return log₁₀ norms over model, curve, statistic and lag, the request as attributes.

        With ``per_trial=True``, log10_norm_by_trial over model, curve, trial and lag too.
        """
        from vanishgrad.reports.frames import dataset

        return dataset(self.typed)


@dataclass(frozen=True, eq=False, repr=False)
class LearnReport(_Tables):
    """What `learn` found: ``typed.models[0].gaps[0].updates``."""

    typed: LearnDocument

    def plot(self, path: str | None = None, kind: str = "learnability", **options: Any) -> Figure:
        """Draw a picture, as `Report.plot` does: into a .png, .svg or .pdf file too, if one is named."""
        from vanishgrad.questions.learn.figure import draw
        from vanishgrad.reports.figures.options import options_named
        from vanishgrad.reports.figures.output import saved

        names_kind = path is not None and "." not in path
        kind, target = (str(path), None) if names_kind else (kind, path)
        return saved(draw(self.typed, kind, options_named(options)), target)


@dataclass(frozen=True, eq=False, repr=False)
class SweepReport(_Tables):
    """What `sweep` found: ``typed.points[0].measures["rate"].value``, ``typed.critical[0].distance``."""

    typed: SweepDocument

    def to_pandas(self) -> pandas.DataFrame:
        """Return a row for each point and trial: the CSV's columns."""
        from vanishgrad.questions.sweep.tables import to_pandas

        return to_pandas(self.typed)

    def to_xarray(self, model: str | None = None) -> xarray.Dataset:
        """Return the measures of all MODELs, or of one, over axes and trial; the request as attribute."""
        from vanishgrad.questions.sweep.arrays import to_xarray

        return to_xarray(self.typed, model)

    def plot(
        self,
        path: str | None = None,
        kind: str | None = None,
        x: str | None = None,
        y: str | None = None,
        measure: str | None = None,
        contour: Sequence[float] | None = None,
        overlay: Sequence[str] | None = None,
        **options: Any,
    ) -> Figure:
        """Draw a phase diagram or slices, into a .png, .svg or .pdf file too, if one is named.

        Parameters are those of ``vanishgrad plot``; `overlay` without a name draws no theory.
        """
        from vanishgrad.questions.sweep.figure import SweepPicture, draw
        from vanishgrad.reports.figures.options import options_named
        from vanishgrad.reports.figures.output import saved

        levels = None if contour is None else tuple(contour)
        picture = SweepPicture(kind, x, y, measure, levels, None if overlay is None else tuple(overlay))
        return saved(draw(self.typed, picture, options_named(options)), path)


def _in_brief(model: ModelDocument) -> str:
    state = model.curves.get("state")
    if state is None:
        return f"{model.label}: {', '.join(model.curves)}"
    return f"{model.label}: {state.verdict}, horizon {horizon(state.horizon, state.horizon_censored)}"


def _shortened(line: str) -> str:
    return line if len(line) <= REPR_CHARACTERS else f"{line[: REPR_CHARACTERS - 1]}…"
