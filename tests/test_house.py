"""The house keeps its floors, and CI and nox run the same commands."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

from tests import house

ROOT = Path(__file__).parent.parent
MAX_CELL_NAMES = 3
"""Chapters of the answer; at most 5."""
MAX_SMALL_FILES = 15
"""Files below `house.SMALL` lines."""


def test_imports_only_go_down_the_floors(monkeypatch):
    from importlinter.cli import lint_imports

    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename="setup.cfg", is_debug_mode=False, show_timings=False, verbose=False) == 0


def test_ci_and_nox_run_the_same_commands():
    ci = set(re.findall(r"^ *(python -m pytest.*|mypy|ruff .*|mkdocs .*)$", (ROOT / ".ci" / "run").read_text(), re.M))
    calls = re.findall(r"session\.run\(([^)]*)\)", (ROOT / "noxfile.py").read_text())
    nox = {" ".join(re.findall(r'"([^"]*)"', call)) for call in calls}
    assert ci == nox


def test_cells_are_named_in_their_own_rooms():
    found = house.cell_name_literals()
    assert len(found) <= MAX_CELL_NAMES, found


def test_small_files_are_few():
    found = house.small_files()
    assert len(found) <= MAX_SMALL_FILES, found


def test_no_room_is_more_than_a_quarter_of_the_house():
    assert max(house.rooms().values()) <= 0.25, house.rooms()


def test_no_file_is_long():
    assert {path: count for path, count in house.lines().items() if count > 300} == {}


@pytest.mark.parametrize(("question", "path", "name"), house.NEWCOMER, ids=[row[0] for row in house.NEWCOMER])
def test_a_newcomer_finds_it_by_the_name_of_the_file(question, path, name):
    assert name in house.defined(path)
    assert house.guessable(question, path)


def test_public_classes_have_names_of_their_own():
    assert not house.repeated_class_names()


def test_a_name_that_says_nothing_is_no_answer():
    assert not house.guessable("where is the horizon of a curve computed", "reports/table.py")


def test_the_lowest_versions_are_those_of_setup_cfg():
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    wanted = [
        line.partition(";")[0].split(">=") for line in settings["options"]["install_requires"].split("\n") if line
    ]
    pinned = [line.split("==") for line in (ROOT / "tests" / "lowest.txt").read_text().splitlines()[1:]]
    assert [(name, f"{version}.0.0".split(".")[:3]) for name, version in wanted] == [
        (name, version.split(".")) for name, version in pinned
    ]
