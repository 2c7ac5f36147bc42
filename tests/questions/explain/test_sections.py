"""A section of an explanation is one folder and one row of the register: a row more is shown everywhere."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from vanishgrad.questions.explain.document import explanation
from vanishgrad.questions.explain.explain import explain
from vanishgrad.questions.explain.request import ExplainRequest
from vanishgrad.questions.explain.sections import SECTIONS

FOLDER = Path(__file__).parents[3] / "vanishgrad" / "questions" / "explain"
TOY = ["rnn", "--hidden", "4", "--steps", "12", "--trials", "2", "--only", "mean"]


def with_toy(*arguments: str) -> str:
    program = Path(__file__).with_name("toy_section.py")
    done = subprocess.run([sys.executable, str(program), *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("toy") / "report.json"
    with_toy("explain", *TOY, "--output", str(path))
    return path


def test_every_section_has_a_folder_and_every_folder_a_row():
    folders = {path.name for path in FOLDER.iterdir() if (path / "measure.py").exists()}
    assert folders == set(SECTIONS)


def test_the_report_does_not_depend_on_how_many_processes_share_its_sections():
    request = ExplainRequest("lstm", hidden=4, steps=12, trials=2, lyapunov_steps=20)
    one, two = (explanation(explain(request, jobs=jobs)).to_json() for jobs in (1, 2))
    assert one == two


def test_no_two_sections_draw_pictures_of_one_name():
    names = [name for section in SECTIONS.values() for name in section.pictures]
    assert len(names) == len(set(names))


def test_a_row_more_is_in_the_json_report_and_its_schema(report):
    document = json.loads(report.read_text())
    jsonschema.validate(document, json.loads(with_toy("schema", "explain")))
    assert abs(document["models"][0]["mean"]["mean"]) < 1
    document["models"][0]["mean"] = {}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, json.loads(with_toy("schema", "explain")))


def test_a_row_more_is_in_the_table():
    assert "\nMean of the states\nthe states average " in with_toy("explain", *TOY)


def test_a_row_more_is_in_markdown():
    assert "### Mean of the states" in with_toy("explain", *TOY, "--format", "markdown")


def test_a_row_more_is_in_csv():
    rows = list(csv.DictReader(with_toy("explain", *TOY, "--format", "csv").splitlines()))
    assert [row["series"] for row in rows if row["section"] == "mean"] == ["mean"]


def test_a_row_more_is_a_kind_of_picture(report):
    picture = report.with_suffix(".svg")
    with_toy("plot", str(report), "--kind", "mean-bar", "--output", str(picture))
    assert picture.read_text().count("<svg") == 1


def test_a_section_is_explained_without_matplotlib():
    program = "import sys, vanishgrad; vanishgrad.explain('lstm', hidden=3, steps=6, only=('paths',)); "
    subprocess.run([sys.executable, "-c", program + "assert 'matplotlib' not in sys.modules"], check=True)
