"""Options of every picture: size, style, words, legend, axes, what is drawn; and one that means nothing is refused."""

from __future__ import annotations

import csv
import io
import shutil

import numpy as np
import pytest

import vanishgrad
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.questions.plot.render import KINDS, available_kinds, draw, render
from vanishgrad.reports.figures.options import PictureOptions
from vanishgrad.reports.figures.output import drawn_data
from vanishgrad.reports.figures.palette import COLOURS, looks

DEFAULT = ("rnn", "rnn@orthogonal", "lstm", "lstm:forget_bias=1", "lstm@chrono", "gru", "gru@chrono")


@pytest.fixture(scope="module")
def report():
    return vanishgrad.explain("lstm", hidden=3, steps=20, trials=2, exponents=3)


@pytest.fixture(scope="module")
def models():
    return vanishgrad.compare(["rnn", "lstm", "lstm:forget_bias=4"], hidden=3, steps=20, trials=2)


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.texts if text.get_text()]


def test_every_kind_has_the_size_that_is_asked_for(report):
    kinds = available_kinds(report.typed)
    assert {"curves", "paths", "gates", "shares", "trials", "map", "lyapunov", "directions"} <= set(kinds)
    options = PictureOptions(size=(9.0, 8.0), title="", caption=False)
    for kind in kinds:
        figure = draw(report.typed, kind, options)
        assert figure.get_size_inches() == pytest.approx([9.0, 8.0]) and not texts(figure), kind
        for axes in figure.axes:
            box = axes.get_position()
            assert 0 <= box.x0 < box.x1 <= 1 and 0 <= box.y0 < box.y1 <= 1, kind


def test_a_figure_of_a_column_of_a_paper(models):
    options = {"size": (3.25, 2.1), "title": "", "caption": False, "legend": "inside", "curves": "state"}
    figure = models.plot(**options)
    (axes,) = figure.axes
    named = [text.get_text() for text in axes.get_legend().get_texts()]
    assert named == ["rnn", "lstm", "lstm:forget_bias=4", "threshold 0.001"]
    assert models.plot(**{**options, "legend": "none"}).axes[0].get_legend() is None
    with pytest.raises(
        UsageError, match=r"expected --size from .* on for 2 panels .*, got 3\.25x2\.1; try --title none"
    ):
        models.plot(size=(3.25, 2.1))


def test_words_are_the_ones_that_are_asked_for(models):
    assert "Two cells" in texts(models.plot(title="Two cells"))
    (title,) = texts(models.plot(caption=False))
    assert title == "How far back the gradient reaches"


def test_models_and_curves_are_chosen_and_keep_their_colours(models):
    figure = models.plot(models=("lstm", "rnn"), curves=("cell", "state"))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["cell", "state"]
    lines = {line.get_label(): line.get_color() for line in figure.axes[1].lines}
    whole = {line.get_label(): line.get_color() for line in models.plot().axes[0].lines}
    assert lines["rnn"] == whole["rnn"] and lines["lstm"] == whole["lstm"] and "lstm:forget_bias=4" not in lines
    with pytest.raises(UsageError, match="expected --model out of rnn, lstm, lstm:forget_bias=4, got 'gru'"):
        models.plot(models="gru")
    with pytest.raises(UsageError, match=r"expected --curve out of state, .*, got 'stack'"):
        models.plot(curves="stack")


def test_the_axis_of_norms_ends_where_it_is_asked_to_and_lines_are_cut_there(models):
    axes = models.plot(ylim=(1e-3, 10.0), xscale="log").axes[0]
    assert axes.get_xscale() == "symlog"
    (line,) = (line for line in axes.lines if line.get_label() == "rnn")
    heights = line.get_ydata()
    assert np.nanmin(heights) >= -3 and np.isnan(heights[-1])


def test_bounds_that_prove_nothing_do_not_press_the_measured_curve_together():
    report = vanishgrad.compare("rnn@gaussian:gain=4", hidden=4, steps=60, trials=2, input="white:9")
    axes = report.plot(kind="bounds").axes[0]
    highest = max(np.nanmax(line.get_ydata()) for line in axes.lines if str(line.get_label()).startswith("state"))
    assert axes.get_ylim()[1] < max(highest, 3) + 3


def test_a_style_is_matplotlibs_or_a_file(models, tmp_path):
    assert models.plot(style="ggplot").axes[0].get_facecolor()[:3] == pytest.approx([0.898] * 3, abs=1e-3)
    own = tmp_path / "own.mplstyle"
    own.write_text("axes.linewidth: 3\n")
    assert models.plot(style=str(own)).axes[0].spines["left"].get_linewidth() == 3
    with pytest.raises(UsageError, match=r"expected --style out of matplotlib's .* or a file, got 'nosuch'"):
        models.plot(style="nosuch")
    own.write_bytes(b"\xff\xfe")
    with pytest.raises(VanishgradError, match="expected a style of matplotlib in"):
        models.plot(style=str(own))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"size": (0, 3)}, "expected --size WIDTHxHEIGHT in inches"),
        ({"legend": "top"}, "expected --legend ends or inside or none, got 'top'"),
        ({"xscale": "cubic"}, "expected --xscale linear or log, got 'cubic'"),
        ({"ylim": (2.0, 1.0)}, "expected --ylim LOW,HIGH with 0 < LOW < HIGH"),
        ({"colour": "red"}, "expected an option out of size, style, .*, got 'colour'"),
        ({"kind": "gates", "ylim": (0.1, 1.0)}, "expected no --ylim with the picture 'gates'"),
        ({"kind": "trials", "curves": "state"}, "expected no --curve with the picture 'trials'"),
    ],
)
def test_an_option_that_cannot_be_or_means_nothing_is_refused(models, options, said):
    with pytest.raises(UsageError, match=said):
        models.plot(**options)


def test_what_is_drawn_is_written_as_csv(models, report):
    rows = list(csv.DictReader(io.StringIO(drawn_data(models.plot()))))
    own = [row for row in rows if (row["panel"], row["series"]) == ("state", "lstm")]
    median = models.typed.models[1].curves["state"].log10_norm.median
    assert [float(row["y"]) for row in own] == pytest.approx(median) and own[0]["y_axis"].startswith("log10 of")
    for kind in available_kinds(report.typed):
        assert drawn_data(draw(report.typed, kind)).count("\n") > 2, kind


def test_a_colour_belongs_to_the_label():
    every = looks(DEFAULT)
    assert {each.colour for each in every.values()} == set(COLOURS)
    assert looks(DEFAULT[::-1]) == every and looks(DEFAULT[2:4])["lstm"] == every["lstm"]
    assert len(set(looks(tuple(f"model {i}" for i in range(100))).values())) == 100


def test_before_and_after_are_two_dashes_of_one_colour_and_checkpoints_one_sequence():
    before, after = looks(("a.pt:lstm", "b.pt:lstm")).values()
    assert before.colour == after.colour and before.dashes != after.dashes
    shades = [each.colour for each in looks(tuple(f"ck{i}.pt:lstm" for i in range(4))).values()]
    darkness = [int(shade[1:3], 16) for shade in shades]
    assert darkness == sorted(darkness, reverse=True) and len(set(darkness)) == 4


def test_fonts_of_a_pdf_are_truetype(models):
    pdf = render(models.typed, "curves", "pdf")
    assert b"/Type3" not in pdf and b"/CIDFontType2" in pdf


@pytest.mark.skipif(shutil.which("xelatex") is not None, reason="LaTeX is installed")
def test_pgf_without_latex_is_one_sentence(models):
    with pytest.raises(VanishgradError, match=r"expected LaTeX with xelatex for a \.pgf"):
        render(models.typed, "curves", "pgf")


def test_every_kind_is_known():
    assert set(KINDS) >= {"curves", "map", "bounds"}
