"""Pictures are made from the JSON document alone, and say what it says."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys

import pytest

import vanishgrad
from tests.questions.pictured import a_document, a_model, available_kinds, draw, read, render
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.questions.plot.render import KINDS, undrawable_characters
from vanishgrad.reports.figures.lines import drawable_curves
from vanishgrad.reports.figures.style import style

DOCUMENT = a_document(a_model("rnn", -0.5, gated=False), a_model("lstm"), a_model("gru", -0.01))
CASES = {
    "one model": a_document(a_model("lstm")),
    "three models": DOCUMENT,
    "twelve equal models": a_document(*(a_model(f"lstm:forget_bias={i}") for i in range(12))),
    "forty models": a_document(*(a_model(f"layer.{i}", -0.01 * i, gated=False) | {"bounds": []} for i in range(40))),
    "one step": a_document(a_model("lstm", steps=1)),
    "far and near": a_document(a_model("far", -2, 300), a_model("near", -0.001, 300), a_model("up", 1.5, 300)),
    "exact zeros": a_document(a_model("lstm"), a_model("rnn", median=[0.0, -0.1, None, None])),
    "nothing but zeros": a_document(a_model("rnn", median=[None, None])),
    "long labels": a_document(*(a_model(f"lstm@gaussian:activation=relu,gain={i},forget_bias=1") for i in range(5))),
    "one trial": a_document(a_model("编码器.rnn", trials=1), a_model("$a_b$\n", trials=1), input="/data/文本.txt"),
}


def texts(figure, where=lambda text: True):
    from matplotlib.text import Text

    return [t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible() and where(t)]


def assert_legible(figure, characters=""):
    """Nothing that is written overlaps or leaves the page."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with style(characters):
        FigureCanvasAgg(figure).draw()
    # a ring of 0.5 pixel: neighbours may touch
    boxes = [(t.get_text(), t.get_window_extent().padded(-0.5)) for t in texts(figure)]
    width, height = figure.bbox.size
    for text, box in boxes:
        assert 0 <= box.x0 < box.x1 <= width, text
        assert 0 <= box.y0 < box.y1 <= height, text
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        assert not a.overlaps(b), (one, other)


def words(figure):
    return " ".join(text.get_text() for text in texts(figure))


def series(axes):
    """Return the lines of a panel by their label; what belongs to the axis itself has none."""
    return {line.get_label(): line for line in axes.get_lines() if not line.get_label().startswith("_")}


@pytest.mark.parametrize(
    ("case", "kind"), [(case, kind) for case, document in CASES.items() for kind in available_kinds(document)]
)
def test_nothing_written_overlaps_or_leaves_the_page(case, kind):
    assert_legible(draw(CASES[case], kind), "编码器")


def test_curves_has_a_panel_for_state_and_one_for_input_with_every_model():
    state, received = draw(DOCUMENT).axes
    assert [list(series(axes)) for axes in (state, received)] == [["rnn", "lstm", "gru"]] * 2
    assert (
        series(state)["lstm"].get_ydata().tolist() == DOCUMENT["models"][1]["curves"]["state"]["log10_norm"]["median"]
    )
    assert state.get_ylim() == received.get_ylim()


def test_a_model_keeps_its_look_in_every_picture_and_no_two_look_alike():
    document = CASES["forty models"]
    lines = series(draw(document).axes[0]).values()
    looks = {
        (line.get_color(), str(line.get_linestyle()), line._unscaled_dash_pattern, line.get_marker()) for line in lines
    }
    assert len(looks) == 40
    without = a_document(a_model("rnn", gated=False), a_model("lstm"))
    assert series(draw(without).axes[0])["lstm"].get_color() == series(draw(DOCUMENT).axes[0])["lstm"].get_color()


def test_the_band_is_drawn_and_explained():
    figure = draw(DOCUMENT)
    assert [len(axes.collections) for axes in figure.axes] == [3, 3]
    assert "bands: smallest to largest trial" in words(figure)
    assert "5 % to 95 % quantile" in words(draw(a_document(a_model("lstm"), band="5-95 %")))


def test_one_trial_has_no_band():
    figure = draw(CASES["one trial"])
    assert [len(axes.collections) for axes in figure.axes] == [0, 0]
    assert "the one trial" in words(figure)


def test_the_frame_says_steps_hidden_size_trials_and_input():
    assert "20 steps, hidden size 64, 8 trials, white-noise input" in words(draw(DOCUMENT))
    assert "input from words.txt" in words(draw(a_document(a_model("lstm") | {"input": "/data/words.txt"})))
    assert "zero input" in words(draw(a_document(a_model("lstm") | {"input": "zeros"})))


def test_exact_zeros_are_named_with_their_first_lag():
    figure = draw(CASES["exact zeros"])
    assert "rnn\nexactly 0 from lag 2" in words(figure)
    line = series(figure.axes[0])["rnn"].get_ydata()
    assert line[2] == line[3] < figure.axes[0].get_yticks()[1:].min()


def test_thresholds_are_drawn_and_the_upper_one_only_where_a_curve_comes_near():
    assert "threshold 0.001" in words(draw(DOCUMENT))
    assert "1/threshold" not in words(draw(DOCUMENT))
    assert "1/threshold 1000" in words(draw(a_document(a_model("up", 0.5))))


def test_long_curves_are_thinned_and_say_so():
    figure = draw(a_document(a_model("lstm", -0.001, steps=5000)))
    lags = series(figure.axes[0])["lstm"].get_xdata()
    assert (lags[0], lags[-1]) == (0, 5000)
    assert 2000 <= len(lags) <= 4000
    assert "some of the lags" in words(figure)


def test_the_lags_of_long_curves_are_on_a_logarithmic_axis_and_say_so():
    for steps, scale in ((999, "linear"), (1000, "symlog"), (100_000, "symlog")):
        figure = draw(a_document(a_model("lstm", steps=steps)))
        assert [axes.get_xscale() for axes in figure.axes] == [scale] * len(figure.axes)
        assert ("The axis of lags is logarithmic" in words(figure)) == (scale == "symlog")
        assert figure.axes[0].get_xlim() == (0, steps)


def test_paths_joins_curves_that_are_equal():
    model = a_model("gru")
    model["curves"]["hidden"] = model["curves"]["state"]
    (axes,) = draw(a_document(model), "paths").axes
    assert [re.sub(r"\s+", " ", name) for name in series(axes)] == [
        "state = hidden", "cell", "conveyor", "input", "output",
    ]  # fmt: skip


def test_bounds_are_dashed_beside_the_measured_curve():
    (axes,) = draw(DOCUMENT, "bounds").axes
    assert list(series(axes)) == ["state, measured", "γ‖W‖₂\n(not below 1)"]
    assert [line.is_dashed() for line in series(axes).values()] == [False, True]


def test_gates_have_a_row_each():
    (axes,) = draw(DOCUMENT, "gates").axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["input", "forget", "output"] * 2


def test_shares_add_up_to_the_whole():
    (axes,) = draw(DOCUMENT, "shares").axes
    rights = [max(bar.get_x() + bar.get_width() for bar in bars) for bars in zip(*axes.containers, strict=True)]
    assert rights == pytest.approx([1, 1, 1])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["lag 0", "1", "2–3", "4–7", "8–15", "16–19"]


def test_trials_has_a_dot_for_each():
    (axes,) = draw(DOCUMENT, "trials").axes
    assert [len(line.get_xdata()) for line in axes.get_lines() if line.get_marker() == "o"] == [8, 8, 8]
    assert {"vanishing", "preserved"} < set(words(draw(DOCUMENT, "trials")).split())


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_same_document_gives_the_same_bytes_with_no_date(ending):
    first = render(DOCUMENT, "curves", ending)
    assert first == render(json.loads(json.dumps(DOCUMENT)), "curves", ending)
    assert b"CreationDate" not in first
    assert b"<dc:date>" not in first


def test_the_readers_own_settings_change_nothing():
    import matplotlib

    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30, "text.usetex": True, "svg.fonttype": "none"}):
        changed = render(DOCUMENT, "curves", "svg")
    assert changed == render(DOCUMENT, "curves", "svg")


def test_pictures_need_neither_pyplot_nor_matplotlib_before_they_are_drawn():
    code = (
        "import sys, json; from tests.questions.pictured import render; assert 'matplotlib' not in sys.modules;"
        "render(json.load(sys.stdin), 'curves', 'png'); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], input=json.dumps(DOCUMENT), text=True, check=True)


def test_a_character_that_no_font_has_is_escaped_and_reported():
    document = a_document(a_model("a\ue123b\x07"))
    assert undrawable_characters(read(document)) == "\x07\ue123"
    assert r"a\ue123b\x07" in words(draw(document))
    assert undrawable_characters(read(DOCUMENT)) == ""


def test_a_label_is_never_read_as_a_formula():
    assert r"$a_b$\n" in words(draw(CASES["one trial"]))


def test_available_kinds_are_those_that_can_be_drawn():
    assert available_kinds(DOCUMENT) == ("curves", "paths", "bounds", "gates", "shares", "trials")
    assert set(available_kinds(DOCUMENT)) < set(KINDS)
    assert available_kinds(a_document(a_model("rnn", gated=False))) == ("curves", "bounds", "shares", "trials")


def test_an_unknown_kind_or_ending_is_wrong_usage():
    with pytest.raises(UsageError, match="got 'curve'; try curves"):
        draw(DOCUMENT, "curve")
    with pytest.raises(UsageError, match="png, svg, pdf, pgf, got 'jpg'"):
        render(DOCUMENT, "curves", "jpg")


def test_a_document_without_what_the_kind_needs_says_what():
    with pytest.raises(VanishgradError, match="expected a gated model for the picture 'gates'"):
        draw(a_document(a_model("rnn", gated=False)), "gates")


def test_more_models_than_looks_are_refused():
    with pytest.raises(VanishgradError, match="at most 112 models in a picture, got 113"):
        draw(a_document(*(a_model(f"layer.{i}", steps=1, gated=False) for i in range(113))))


def test_of_a_summary_only_the_curve_that_was_measured_is_drawn() -> None:
    """Of its input the last lag alone is known: a line through it would be made up."""
    report = vanishgrad.compare(["rnn", "lstm"], hidden=4, steps=8, trials=2, summary=True)
    assert [drawable_curves(model) for model in report.typed.models] == [["state"]] * 2
    picture = render(report.document, "curves", "svg").decode()
    assert [name in picture for name in ("<!-- state -->", "<!-- input -->")] == [True, False]
