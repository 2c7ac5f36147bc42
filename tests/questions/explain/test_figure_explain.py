"""The pictures that an explanation adds."""

from __future__ import annotations

import copy
import itertools
import math

import numpy as np
import pytest

from tests.questions.pictured import a_document, a_model, draw, render
from tests.questions.test_plot import assert_legible, series
from vanishgrad.errors import VanishgradError

STEPS = 20
LAGS = range(STEPS + 1)


def carried(slope, share, first=0):
    norms = [None] * first + [slope * lag for lag in LAGS[first:]]
    shares = [share] * len(LAGS)
    return {
        "log10_norm": dict.fromkeys(("median", "mean", "low", "high"), norms),
        "share": dict.fromkeys(("mean", "low", "high"), shares),
    }


def paths(f=0.3, g=0.1):
    return {
        "curve": "cell",
        "detours": {"0": carried(-0.4, 1 - f - g), "1": carried(-0.3, f, 2), "more": carried(-0.2, g, 3)},
        "gates": {"i": carried(-0.3, 0.0, 2), "f": carried(-0.3, f, 2), "g": carried(-0.3, g, 2)},
        "sentence": "",
    }


def a_map(points=STEPS + 1, slope=-0.3, tokens=None, stride=1, zeros=False):
    rows = [[slope * stride * (i - k) for k in range(i + 1)] for i in range(points)]
    if zeros:
        rows[-1][0] = None
    times = [i * stride for i in range(points)]
    return {"trial": 0, "times": times, "log10_norm": rows, "tokens": tokens, "sentence": ""}


TEXT = list("the clouds are in the")[:STEPS]
CASES = {
    "one model": a_document(a_model("lstm") | {"paths": paths(), "map": a_map(tokens=TEXT)}),
    "no tokens": a_document(a_model("lstm") | {"paths": paths(), "map": a_map()}),
    "three layers": a_document(*(a_model(f"rnn.{i}") | {"paths": paths(), "map": a_map(zeros=True)} for i in range(3))),
    "cancelling": a_document(a_model("lstm") | {"paths": paths(f=-7, g=3), "map": a_map(slope=2.0)}),
    "words": a_document(a_model("lstm") | {"map": a_map(tokens=["uncharacteristically"] * STEPS)}),
    "wide words": a_document(a_model("lstm") | {"map": a_map(43, tokens=["mmmmmm"] * 42)}),
    "long": a_document(a_model("lstm") | {"map": a_map(64, -9.0, ["ab", "\n", " ", "中"] * 315, 20)}),
    "one step": a_document(a_model("lstm", steps=1) | {"map": a_map(2, tokens=["x"])}),
}  # fmt: skip


@pytest.mark.parametrize(("case", "kind"), list(itertools.product(CASES, ("detours", "map"))))
def test_nothing_written_overlaps_or_leaves_the_page(case, kind):
    if all(kind.replace("detours", "paths") not in model for model in CASES[case]["models"]):
        pytest.skip("the case has no such section")
    assert_legible(draw(CASES[case], kind), "中")


def test_detours_draws_norms_by_number_and_shares_by_gate():
    norms, shares = draw(CASES["one model"], "detours").axes
    assert list(series(norms)) == ["whole", "conveyor", "1 detour", "more detours"]
    assert [line.get_ydata()[0] for line in shares.get_lines()[:4]] == pytest.approx([0.6, 0.0, 0.3, 0.1])
    assert series(norms)["conveyor"].get_color() == shares.get_lines()[0].get_color()


def test_shares_that_cancel_stay_within_the_panel():
    _, shares = draw(CASES["cancelling"], "detours").axes
    low, high = shares.get_ylim()
    assert (round(low, 2), round(high, 2)) == (-0.54, 1.54)


def test_map_shows_the_values_up_to_the_thresholds_third_power():
    panel, _ = draw(CASES["three layers"], "map").axes[::3]
    (image,) = panel.get_images()
    shown = image.get_array()
    assert shown.mask[0, 1]
    assert shown[10, 4] == pytest.approx(-0.3 * 6)
    assert shown[-1, 0] == -6  # exact zero: the darkest there is
    assert image.get_clim() == (-6, 0)
    assert draw(CASES["long"], "map").axes[0].get_images()[0].get_clim()[0] == -9


def test_map_draws_the_threshold_where_it_is_crossed():
    panel = draw(CASES["one model"], "map").axes[0]
    crossed = [line for line in panel.get_lines() if np.ptp(line.get_xdata()) == 0]
    assert len(crossed) == STEPS - math.ceil(3 / 0.3)
    assert not draw(CASES["one step"], "map").axes[0].get_lines()


def test_map_writes_tokens_and_shows_spaces():
    panel = draw(CASES["one model"], "map").axes[0]
    named = [label.get_text() for label in panel.get_xticklabels()]
    assert "".join(named) == "the␣clouds␣are␣in␣th"
    assert "step k: the token" in panel.get_xlabel()
    assert [label.get_text() for label in draw(CASES["no tokens"], "map").axes[0].get_xticklabels()][-1] == "20"


def test_the_same_report_gives_the_same_bytes():
    for kind in ("detours", "map"):
        assert render(CASES["one model"], kind, "svg") == render(copy.deepcopy(CASES["one model"]), kind, "svg")


@pytest.mark.parametrize("kind", ["detours", "map"])
def test_a_report_of_another_command_has_neither(kind):
    with pytest.raises(VanishgradError, match="of vanishgrad explain"):
        draw(a_document(a_model("lstm")), kind)


def test_broken_section_is_named():
    document = copy.deepcopy(CASES["one model"])
    document["models"][0]["map"]["log10_norm"][3][1] = "high"
    with pytest.raises(
        VanishgradError, match=r"a number .* or null as models\[0\].map.log10_norm\[3\]\[1\], got 'high'"
    ):
        draw(document, "map")
