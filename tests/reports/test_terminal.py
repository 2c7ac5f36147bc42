"""Pages fit the terminal: no heading is cut, and what gives way goes in its order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vanishgrad.questions.documents import report_in
from vanishgrad.reports.table import COLUMNS, GATES, to_table
from vanishgrad.reports.terminal import LEAST_LABEL, Column, Terminal, fitted, folded, remaining

GOLD = Path(__file__).parent / "gold" / "compare.json"
WIDTHS = (60, 70, 80, 90, 110, 120, 160, 200)


@pytest.fixture(scope="module")
def report():
    return report_in(json.loads(GOLD.read_text(encoding="utf-8")))


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_longer_than_the_terminal(report, width):
    assert max(map(len, to_table(report, Terminal(width)).splitlines())) <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_headings_are_whole_or_not_there(report, width):
    lines = to_table(report, Terminal(width)).splitlines()
    (heading,) = [line for line in lines if line.startswith("model ")]
    left_out = [column.heading for column in COLUMNS if column.heading not in heading]
    assert left_out in ([], ["by lag"], ["typical", "by lag"])


@pytest.mark.parametrize("width", WIDTHS)
def test_every_label_and_number_is_there(report, width):
    text = to_table(report, Terminal(width))
    for model in report.models:
        state = model.curves["state"]
        assert model.label.replace("@", "@\n").split("\n")[0] in text
        assert f"{state.log10_norm.median[-1]:.1f}" in text


def test_the_legend_speaks_of_what_is_shown(report):
    assert "sparklines" in to_table(report, Terminal(80))
    assert "sparklines" not in to_table(report, Terminal(60))


def test_columns_give_way_in_their_order_and_others_never():
    needs = [20, 11, 6, 7, 5, 7, 5, 8]
    names = [[COLUMNS[i].heading for i in remaining(COLUMNS, needs, width)] for width in (80, 60, 50, 20)]
    assert names[0] == [column.heading for column in COLUMNS]
    assert [len(shown) for shown in names] == [8, 7, 6, 6]
    assert "by lag" not in names[1] and "typical" not in names[2]


def test_gates_fit_sixty_columns():
    needs = [LEAST_LABEL, 6, 4, 4, 6, 4, 5, 5, 4]
    shown = remaining(GATES, needs, 60, gap=2)
    assert sum(needs[i] + 2 for i in shown) - 2 <= 60


def test_a_short_label_leaves_room():
    columns = (Column("a", is_text=True), Column("b"), Column("c", gives_way=1))
    assert remaining(columns, [3, 20, 20], 46) == [0, 1, 2]
    assert remaining(columns, [3, 20, 20], 44) == [0, 1]


def test_a_label_keeps_its_room_where_no_column_gives_way():
    columns = (Column("model", is_text=True), Column("by", is_text=True))
    table = fitted(columns, [["lstm:forget_bias=5", "x" * 60]], 60)
    assert [str(cell) for cell in table.columns[0].cells] == ["lstm:\nforget_bias\n=5"]


def test_a_label_breaks_behind_its_separators():
    assert folded("rnn@orthogonal:gain=1.5", 15) == "rnn@orthogonal:\ngain=1.5"
    assert folded("model.encoder.layers.1", 14) == "model.encoder.\nlayers.1"
    assert folded("short", 5) == "short"
