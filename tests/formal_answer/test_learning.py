"""What is recorded of learning: its summary follows from the trainings, and the prose from the summary."""

from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
import pytest
from scipy.stats import spearmanr

from tests.formal_answer.learning_study import SETTINGS, units
from tests.formal_answer.learning_summary import SPOKEN, summary

RECORDED = json.loads((files("vanishgrad.formal_answer") / "data" / "learning.json").read_text(encoding="utf-8"))
CLAIMS = [row for row in RECORDED["rows"] if row["question"] == "claim"]


def last_before_the_first_failure(row, seed):
    learned = [gap for gap, updates in zip(row["gaps"], row["updates"], strict=True) if updates[seed] is not None]
    failed = [gap for gap, updates in zip(row["gaps"], row["updates"], strict=True) if updates[seed] is None]
    return max((gap for gap in learned if gap < min(failed, default=np.inf)), default=0)


def test_the_script_in_the_tree_is_the_one_that_was_run():
    assert RECORDED["settings"] == SETTINGS
    assert len(RECORDED["rows"]) == len(units())


def test_the_summary_follows_from_the_trainings():
    """To rounding: a fit's last digits are those of the linear algebra at hand."""
    again = json.loads(json.dumps(summary(SETTINGS, RECORDED["rows"])))
    assert again["numbers"] == pytest.approx(RECORDED["numbers"], rel=1e-12)
    assert again["tables"].keys() == RECORDED["tables"].keys()
    for name, table in again["tables"].items():
        assert table["columns"] == RECORDED["tables"][name]["columns"]
        for row, recorded in zip(table["rows"], RECORDED["tables"][name]["rows"], strict=True):
            assert row == [pytest.approx(cell, rel=1e-12) if isinstance(cell, float) else cell for cell in recorded]


@pytest.mark.parametrize("task", ["recall", "order", *SPOKEN, None])
def test_the_rank_correlation_is_spearmans(task):
    pairs = [
        (row["horizon"], last_before_the_first_failure(row, seed))
        for row in CLAIMS
        if task in (row["task"], None)
        for seed in range(SETTINGS["seeds"])
    ]
    numbers = RECORDED["numbers"]
    assert numbers[SPOKEN.get(task, task) or "correlation"] == pytest.approx(
        spearmanr(*zip(*pairs, strict=True)).statistic, rel=1e-12
    )
    assert numbers["low"] < numbers["correlation"] < numbers["high"]


def test_the_prose_holds():
    """The LSTM's edge is the RNN's, with words below it; a forget bias of 1 is an exception there; the matrix of gain 1.5 is an exception; every remedy helps; every cut is learned."""
    numbers, tables = RECORDED["numbers"], RECORDED["tables"]
    assert numbers["edge_lstm"] == numbers["edge_rnn"] < numbers["edge_orthogonal"] <= numbers["edge_chrono"]
    assert numbers["words_lstm"] < numbers["words_rnn"] < numbers["words_orthogonal"] < numbers["words_chrono"]
    assert ["language", "lstm:forget_bias=1"] in [row[:2] for row in tables["learning_exceptions"]["rows"]]
    assert ["recall", "rnn@gaussian:gain=1.5"] in [row[:2] for row in tables["learning_exceptions"]["rows"]]
    assert all(after == SETTINGS["seeds"] for _, _, _, after, _ in tables["learning_remedy"]["rows"])
    cut = {tuple(row[:2]): row[2:] for row in tables["learning_cut"]["rows"]}
    for gap in (20, 40):
        assert cut[gap, gap / 2][0] == SETTINGS["seeds"] and cut[gap, gap / 2][1] > cut[gap, gap][1]
