"""A check for people and for CI: one sentence for each layer, and every format says the same."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np
import pytest

import vanishgrad
from vanishgrad.questions.check.formats import (
    FORMATS,
    append_summary,
    sentence,
    to_github,
    to_junit,
    to_markdown,
    to_text,
)  # fmt: skip
from vanishgrad.questions.check.judge import CheckDocument, CheckRequest

RNG = np.random.default_rng(0)
FORGETS = {
    "encoder.weight_hh_l0": RNG.uniform(-0.3, 0.3, (32, 8)),
    "encoder.weight_ih_l0": RNG.uniform(-0.3, 0.3, (32, 3)),
    "encoder.bias_ih_l0": np.zeros(32),
    "encoder.bias_hh_l0": np.zeros(32),
}


@pytest.fixture(scope="module")
def failed():
    return vanishgrad.check(FORGETS, horizon=40, input="white").typed


@pytest.fixture
def spoilt(failed):
    """The same of a file whose name is markup, line ends, commands and what XML has no character for."""
    return CheckDocument.of(failed, request=CheckRequest.of(failed.request, report='"<b>&\n::error::x,y:\x01%'))


def test_the_sentence_says_horizon_need_and_the_best_remedy_computed(failed):
    (layer,) = failed.layers
    assert not layer.passed
    assert sentence(layer).startswith(f"encoder.0: horizon {layer.horizon}, needs 40, vanishing; best remedy b_f + ")
    assert sentence(layer).endswith("(computed)")


def test_the_best_remedy_is_what_explain_measures(failed):
    (layer,) = failed.layers
    explained = vanishgrad.explain(FORGETS, steps=80, only=("findings",)).typed
    remedies = [remedy for finding in explained.models[0].sections["findings"] for remedy in finding.remedies]
    assert layer.remedy.to_dict() in [remedy.to_dict() for remedy in remedies]
    assert layer.remedy.after.horizon > layer.horizon


def test_what_passes_and_what_is_a_report_has_no_remedy(tmp_path):
    assert vanishgrad.check(FORGETS, horizon=2).layers[0].remedy is None
    report = tmp_path / "report.json"
    report.write_text(vanishgrad.analyze(FORGETS, steps=60).to_json())
    checked = vanishgrad.check(str(report), horizon=50)
    assert (checked.passed, checked.layers[0].remedy) == (False, None)


def test_every_format_names_the_layer_and_what_it_needs(failed):
    for kind, write in FORMATS.items():
        assert "encoder" in write(failed), kind
        assert "40" in write(failed), kind
    assert json.loads(FORMATS["json"](failed))["layers"][0]["needs"] == 40


def test_github_has_one_command_a_line_whatever_a_layer_is_called(failed, spoilt):
    assert to_github(failed).startswith("::error file=the mapping,title=vanishgrad check::encoder.0: horizon ")
    (line,) = to_github(spoilt).splitlines()
    assert line.startswith('::error file="<b>&%0A%3A%3Aerror%3A%3Ax%2Cy%3A\x01%25,title=vanishgrad check::encoder.0: ')


def test_junit_is_read_by_a_reader_of_xml(failed, spoilt):
    root = ElementTree.fromstring(to_junit(failed))
    suite = root.find("testsuite")
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    failure = suite.find("testcase/failure")
    assert failure.get("message") == failure.text == sentence(failed.layers[0])
    case = ElementTree.fromstring(to_junit(spoilt)).find("testsuite/testcase")
    assert case.get("classname").startswith('"<b>&') and case.get("classname").endswith("y:\\x01%")


def test_markdown_is_one_row_a_layer(failed):
    (row,) = [line for line in to_markdown(failed).splitlines() if line.startswith("| `")]
    assert row.startswith("| `encoder.0` | ❌ |")
    assert row.count("|") == 8


def test_the_summary_of_a_job_grows(failed, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    append_summary(failed)
    append_summary(failed)
    assert (tmp_path / "summary.md").read_text() == 2 * to_markdown(failed)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    append_summary(failed)


def test_text_marks_what_fails(failed):
    assert "FAIL encoder.0: horizon " in to_text(failed)
