"""Pictures of truncation, attention and findings, drawn from an explanation."""

from __future__ import annotations

import copy

import pytest

import vanishgrad
from tests.questions.pictured import available_kinds, draw, render
from tests.questions.test_plot import assert_legible, series, words
from vanishgrad.errors import VanishgradError

KINDS = ("truncation", "attention", "findings")
ROUNDOFF = 1e-12


def explained(label, **options):
    return vanishgrad.explain(label, hidden=6, steps=60, trials=2, only=KINDS, **options).document


RNN, LSTM, CHRONO = explained("rnn@gaussian:gain=0.2"), explained("lstm@keras"), explained("gru@chrono")
TWO = {**LSTM, "models": [*RNN["models"], *LSTM["models"]]}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("document", [RNN, LSTM, TWO], ids=["rnn", "lstm", "both"])
def test_nothing_written_overlaps_or_leaves_the_page(document, kind):
    assert_legible(draw(document, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_document_gives_the_same_bytes(kind):
    assert render(TWO, kind, "svg") == render(copy.deepcopy(TWO), kind, "svg")


def test_truncation_has_what_is_lost_what_each_lag_contributes_and_the_bound_where_there_is_one():
    proved, silent = draw(TWO, "truncation").axes
    assert list(series(proved)) == ["lost", "own", "proved"]
    assert list(series(silent)) == ["lost", "own"]
    (model,) = RNN["models"]
    lost = model["truncation"]["log10_lost"]["median"]
    assert series(proved)["lost"].get_ydata()[:-1] == pytest.approx(lost[:-1], abs=ROUNDOFF)
    assert "threshold 0.01" in words(draw(RNN, "truncation"))


def test_attention_and_skip_stand_beside_the_recurrence():
    (axes,) = draw(LSTM, "attention").axes
    (model,) = LSTM["models"]
    lines = series(axes)
    assert list(lines) == ["recurrent", "attention", "skip"]
    assert lines["recurrent"].get_ydata().tolist() == model["curves"]["hidden"]["log10_norm"]["median"]
    assert lines["attention"].get_ydata().tolist() == model["attention"]["attention"]["log10_norm"]["median"]


def test_findings_have_a_bar_for_the_net_as_it_is_and_for_each_remedy():
    (axes,) = draw(LSTM, "findings").axes
    (finding,) = LSTM["models"][0]["findings"]
    names = [" ".join(label.get_text().split()) for label in axes.get_yticklabels()]
    assert names == ["lstm@keras as it is", *(each["change"] for each in finding["remedies"])]
    lengths = [bar.get_width() for bars in axes.containers for bar in bars]
    before = finding["remedies"][0]["before"]["horizon"]
    assert lengths == [before, *(each["after"]["horizon"] for each in finding["remedies"])]


def test_a_remedy_whose_state_overflows_has_no_bar():
    document = copy.deepcopy(LSTM)
    document["models"][0]["findings"][0]["remedies"][0]["after"] = None
    figure = draw(document, "findings")
    assert "a state overflows" in words(figure)
    assert [bar.get_width() for bars in figure.axes[0].containers for bar in bars][1] == 0


def test_without_findings_there_is_no_picture_of_them():
    assert "findings" not in available_kinds(CHRONO)
    with pytest.raises(VanishgradError, match="expected an explanation with findings"):
        draw(CHRONO, "findings")


@pytest.mark.parametrize(("section", "member"), [("truncation", "log10_lost"), ("attention", "skip"), ("findings", 0)])
def test_a_broken_section_is_named(section, member):
    document = copy.deepcopy(LSTM)
    document["models"][0][section][member] = "text"
    with pytest.raises(VanishgradError, match=rf"expected an object as models\[0\].{section}"):
        draw(document, section)
