"""The sentence says why, in numbers of the report."""

from __future__ import annotations

import pytest

from vanishgrad.questions.compare import CompareRequest, compare, comparison
from vanishgrad.reports.markdown import to_markdown
from vanishgrad.reports.sentences import caveat, fraction, log10_text, notes, number, power, sentence, shared_prefix
from vanishgrad.reports.table import finals, horizon, sparkline, to_table
from vanishgrad.reports.terminal import folded


def models(*labels, **options):
    document = comparison(compare(CompareRequest(models=labels, hidden=16, **options)))
    return document, {model.label: model for model in document.models}


def test_sentence_of_each_kind():
    _, found = models("rnn", "rnn@gaussian:gain=0.4", "lstm", "lstm@chrono", "gru", trials=3)
    assert "which proves nothing" in sentence(found["rnn"])
    assert "which proves it for every input" in sentence(found["rnn@gaussian:gain=0.4"])
    assert "forget gates average 0.49" in sentence(found["lstm"])
    assert "kept, hardly written" in sentence(found["lstm@chrono"])
    assert "keep gates average 0.5" in sentence(found["gru"])


def test_the_horizon_of_the_table_stands_in_the_sentence():
    _, found = models("lstm", trials=3)
    state = found["lstm"].curves["state"]
    assert f"at least 1/1000 is left up to lag {horizon(state.horizon, False)}, less behind it" in sentence(
        found["lstm"]
    )


def test_no_minus_zero_and_one_trial():
    assert [log10_text(value) for value in (-0.04, -0.06, None)] == ["0.0", "-0.1", "zero"]
    document, _ = models("rnn", steps=5, trials=1)
    assert "1 trial, input white" in to_table(document)
    assert ", 1 trial, input" in to_markdown(document)


def test_exploding_and_zero():
    _, found = models("rnn@gaussian:activation=linear,gain=4", steps=20, trials=3)
    assert "more than 1000 times as large" in sentence(found["rnn@gaussian:activation=linear,gain=4"])
    _, found = models("rnn@identity:activation=relu,gain=0.1", steps=60, trials=3)
    assert "exactly zero in" in sentence(found["rnn@identity:activation=relu,gain=0.1"])


def test_a_note_stands_once_with_its_models():
    document, _ = models("rnn", "lstm", steps=20, trials=1)
    (note,) = notes(document.models)
    assert note.startswith("rnn, lstm: one trial")


def test_caveat_says_what_drove_it():
    assert "white noise" in caveat(models("rnn", steps=5)[0])
    assert "white noise" not in caveat(models("rnn", steps=5, input="zeros")[0])
    assert "forget bias decides" in caveat(models("rnn", "lstm", steps=5)[0])
    assert "LSTM" not in caveat(models("rnn", "gru", "mgu", "lru", steps=5)[0])
    assert "told the length" in caveat(models("gru@chrono", steps=5)[0])


@pytest.mark.parametrize(("value", "text"), [(0.617, "0.62"), (1.163, "1.16"), (0.0344, "0.0344"), (1000.0, "1000")])
def test_number(value, text):
    assert number(value) == text


def test_fraction_and_power():
    assert (fraction(1e-3), fraction(0.3)) == ("1/1000", "0.3")
    assert [fraction(threshold) for threshold in (1e-300, 1e-320)] == ["1e-300", "9.99989e-321"]
    assert power(-2.5) == "10⁻²·⁵"


def test_sparkline_is_on_one_scale_and_leaves_zero_blank():
    assert sparkline([0.0, -5.0, -10.0, None], -10.0, 0.0) == "██▄▄▁▁  "


def test_long_labels_break_behind_their_own_separators():
    assert folded("rnn@orthogonal:gain=1.5", 18) == "rnn@orthogonal:\ngain=1.5"


def test_of_different_lengths_the_sentence_and_the_columns_are_of_the_verdicts_lag():
    document, found = models("lstm", lengths="30,12,50")
    state = found["lstm"].curves["state"]
    assert (state.verdict, state.common_lag, state.last) == ("preserved", 12, 50)
    assert "after 12 steps more than 1/1000 is left" in sentence(found["lstm"])
    assert finals(found["lstm"])[0] == state.log10_norm.median[12]
    assert any("lag 12, the last that every sequence has" in note for note in notes(document.models))


def test_what_all_labels_begin_with_ends_at_a_separator_and_is_worth_a_line():
    assert shared_prefix(["transducer.encoder.0", "transducer.encoder.12"]) == "transducer.encoder."
    assert shared_prefix(["runs/7/final.pt:lstm", "runs/7/final.pt:lstm"]) == "runs/7/final.pt:"
    assert shared_prefix(["encoder.0", "encoder.1"]) == ""
    assert shared_prefix(["transducer.encoder.0"]) == shared_prefix([]) == ""
