"""A section that a test adds to the register, and nothing else: the mean of a run's states.

``python toy_section.py ARGUMENTS`` is the command line with this section in it.
"""

from __future__ import annotations

import sys

from vanishgrad.questions.explain.run import Run
from vanishgrad.questions.explain.section import ExplainSection, Passage, Series
from vanishgrad.questions.explain.sections import SECTIONS
from vanishgrad.reports.documents.declaration import Document
from vanishgrad.reports.documents.model import ModelDocument
from vanishgrad.reports.figures.page import PictureKind


class MeanDocument(Document):
    mean: float


def measure(run: Run) -> float:
    return float(run.trajectory.states.mean())


def document(mean: float, model: ModelDocument) -> MeanDocument:
    return MeanDocument(mean=mean)


def passage(section: MeanDocument, model: ModelDocument) -> Passage:
    return Passage("Mean of the states", (f"the states average {section.mean:.3g}",), ("part", "mean"), (("s", "0"),))


def series(section: MeanDocument) -> Series:
    yield "mean", 0, section.mean


def draw(report, models):
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots()
    axes.bar([model.label for model in models], [model.sections["mean"].mean for model in models])
    return figure


PICTURE = PictureKind("The mean.", "the section mean", lambda model: "mean" in model.sections, draw)
SECTIONS["mean"] = ExplainSection(
    measure, document, MeanDocument, passage, series, {"mean-bar": PICTURE}
)  # fmt: skip

if __name__ == "__main__":
    from vanishgrad.cli import main

    main(sys.argv[1:])
