"""Every report is what its declaration says: written, validated and read back by it, with no field more or less."""

from __future__ import annotations

import copy
import json
from typing import Annotated, Any

import jsonschema
import numpy as np
import pytest

import vanishgrad
from tests.questions.learn.small import learned
from vanishgrad.certificates.checking.verdict import CertificateVerdict, Verification
from vanishgrad.certificates.report import CertifyDocument
from vanishgrad.errors import VanishgradError
from vanishgrad.formal_answer import AnswerRequest, answer
from vanishgrad.formal_answer.renderers.claims_json import answer_document
from vanishgrad.questions.check.judge import CheckRequest, judgement
from vanishgrad.questions.compare import CompareRequest, compare, comparison
from vanishgrad.questions.diff import DiffRequest, difference
from vanishgrad.questions.documents import DOCUMENTS, demand_models, document_of, read_report, report_in
from vanishgrad.questions.inspect.measure import inspect
from vanishgrad.questions.inspect.report import inspection
from vanishgrad.questions.verify.measure import VerifyRequest, verify
from vanishgrad.questions.verify.report import verification
from vanishgrad.reports.documents.curve import CurveDocument, curve_document
from vanishgrad.reports.documents.declaration import Count
from vanishgrad.reports.documents.format_version import FORMAT_VERSION, HISTORY
from vanishgrad.reports.documents.report_document import ReportDocument
from vanishgrad.weights.recognition import recurrent_layers

RUNS = {
    "every cell": {"models": ("rnn", "lstm@chrono", "gru:reset=before"), "hidden": 5, "steps": 8, "trials": 3},
    "one trial": {"models": ("lstm",), "hidden": 3, "steps": 6, "trials": 1},
    "too short for a rate": {"models": ("gru",), "hidden": 3, "steps": 2, "trials": 2},
    "exactly zero": {
        "models": ("rnn@identity:activation=relu",), "hidden": 3, "steps": 40, "trials": 4, "input": "white:9",
    },
    "exploding": {"models": ("rnn@gaussian:activation=linear,gain=30",), "hidden": 4, "steps": 30, "trials": 2},
    "lengths": {"models": ("lstm",), "hidden": 3, "lengths": "7,12,9"},
    "float32": {"models": ("lstm", "rnn"), "hidden": 3, "steps": 9, "dtype": "float32"},
    "matrix-free": {"models": ("lstm",), "hidden": 3, "steps": 9, "engine": "matrix-free"},
    "summary": {"models": ("lstm",), "hidden": 3, "steps": 9, "summary": True},
    "some curves": {"models": ("lstm",), "hidden": 3, "steps": 9, "curves": ("state", "cell")},
}  # fmt: skip


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    cell = vanishgrad.random_cell("lstm", hidden=4)
    path = tmp_path_factory.mktemp("weights") / "layer.npz"
    arrays = {"weight_hh_l0": cell.W_hh[0], "weight_ih_l0": cell.W_hx[0], "bias_ih_l0": cell.b[0]}
    np.savez(path, **{f"rnn.{name}": array for name, array in arrays.items()}, **{"rnn.bias_hh_l0": 0 * cell.b[0]})
    return str(path)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A task of one's own, without a key."""
    path, rng = tmp_path_factory.mktemp("examples") / "own.npz", np.random.default_rng(0)
    np.savez(path, x=rng.standard_normal((9, 5, 2)), y=rng.integers(0, 2, 9))
    return str(path)


@pytest.fixture(scope="module")
def reports(weights: str, examples: str) -> dict[str, ReportDocument]:
    """A report of every command; of some several."""
    few = {"hidden": 4, "steps": 12, "trials": 2}
    runs = {name: comparison(compare(CompareRequest(**run))) for name, run in RUNS.items()}
    analyzed = [vanishgrad.analyze(weights, steps=9, lengths=lengths).typed for lengths in (None, "9,4")]
    checked = CheckRequest(
        report="-", curve="state", horizon=5, horizons={"rnn": 3}, threshold=1e-3, max_rate=None, baseline=None
    )
    return {
        **{f"compare: {name}": report for name, report in runs.items()},
        "analyze": analyzed[0],
        "analyze: lengths": analyzed[1],
        "analyze: hints": vanishgrad.analyze(
            weights, steps=9, layer="rnn.0", layout="pytorch", forget_offset=1.0
        ).typed,
        "explain": vanishgrad.explain("lstm", **few).typed,
        "explain: without gates": vanishgrad.explain("rnn@gaussian:gain=0.4", **few).typed,
        "explain: one section": vanishgrad.explain("gru", **few, only=("map",), lengths="12,5").typed,
        "check": judgement(runs["every cell"], checked),
        "diff": difference(*analyzed, DiffRequest(before="a", after="b")),
        "track": vanishgrad.track(weights, steps=9).typed,
        "learn": learned(),
        "learn: a file": learned(task=examples, gaps=(3,), snapshots=False),
        "sweep": vanishgrad.sweep(
            "rnn@gaussian:activation=linear,gain=1,1e200", report=True, hidden=(3, 4), steps=9, trials=2, input="zeros"
        ).typed,
        "inspect": inspection(inspect(recurrent_layers(weights))),
        "verify": verification(verify(VerifyRequest(models=("rnn",), hidden=3, steps=4))),
        "certify": CertifyDocument.of(Verification(CertificateVerdict.VALID, "it holds", ("a",)), certificate="c.json"),
        "answer": answer_document(answer(AnswerRequest(models=("rnn", "lstm"), hidden=3, steps=8)), "zh"),
    }


def test_every_command_has_one(reports: dict[str, ReportDocument]) -> None:
    assert {report.command for report in reports.values()} == set(DOCUMENTS)


def test_reports_are_strict_json_and_valid_without_a_field_more(reports: dict[str, ReportDocument]) -> None:
    for name, report in reports.items():
        schema = document_of(report.command).schema()
        jsonschema.Draft202012Validator.check_schema(schema)
        document = json.loads(report.to_json(), parse_constant=pytest.fail)
        jsonschema.Draft202012Validator(schema).validate(document)
        assert name.startswith(report.command)
        assert_closed(schema)


def assert_closed(schema: dict[str, Any]) -> None:
    """Every object of a schema says what its members are, and that there are no others."""
    if schema.get("type") == "object":
        assert "additionalProperties" in schema
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", []), *schema.get("oneOf", [])]
    values = [schema[name] for name in ("items", "additionalProperties") if isinstance(schema.get(name), dict)]
    for each in (*inner, *values):
        assert_closed(each)


def test_what_is_read_is_what_was_written(reports: dict[str, ReportDocument]) -> None:
    for report in reports.values():
        text = report.to_json()
        assert report_in(json.loads(text)).to_json() == text


def test_a_report_as_a_dictionary_is_its_json(reports: dict[str, ReportDocument]) -> None:
    report = vanishgrad.compare(["rnn"], hidden=3, steps=4)
    assert json.loads(report.to_json()) == report.document


def test_a_field_is_missing_or_unknown_nowhere(reports: dict[str, ReportDocument]) -> None:
    """Each field of each report, left out and renamed, is noticed by its name."""
    for name in ("compare: one trial", "check", "diff", "track", "inspect", "verify", "certify", "answer"):
        document = reports[name].to_dict()
        for path in first_fields(document):
            broken = copy.deepcopy(document)
            holder = at(broken, path[:-1])
            holder["renamed"] = holder.pop(path[-1])
            with pytest.raises(VanishgradError, match=r"renamed|expected"):
                report_in(broken)


def first_fields(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of fields, those within the first item of each list; names that are data are none."""
    if isinstance(value, list):
        return first_fields(value[0], (*path, 0)) if value else []
    if not isinstance(value, dict):
        return []
    named = path and path[-1] in NAMED_BY_DATA
    inner = [p for name, each in value.items() for p in first_fields(each, (*path, name))]
    return inner if named else [*((*path, name) for name in value if name not in OPTIONAL), *inner]


NAMED_BY_DATA = ("curves", "gates", "alive", "verdict_counts", "norms", "facts", "numbers", "evidence")
OPTIONAL = ("curves", "summary")


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("curves", "state", "log10_norm", "median"), "x", r"a list of numbers from -1e\+12 up to 1e\+12 or null"),
        (("curves", "state", "log10_norm", "low"), [0.0], r"median, mean, low, high of one length from 1 on"),
        (("curves", "state", "count"), [0, 0], r"count, log10_norm, log10_rms of one length from 1 on"),
        (("curves", "state", "threshold"), 1, r"a number above 0 below 1"),
        (("curves", "state", "verdict"), "good", r"'vanishing' or 'preserved' or 'exploding' or 'inconclusive'"),
        (("curves",), None, r"an object of objects"),
        (("gates",), None, r"an object of objects"),
        (("hidden_size",), True, r"a whole number from 1"),
        (("source",), {"kind": "found"}, r"'random' or 'file' or 'own'"),
        (("notes",), [None], r"a text"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_path(reports, path, value, said) -> None:
    document = copy.deepcopy(reports["compare: one trial"].to_dict())
    at(document["models"][0], path[:-1])[path[-1]] = value
    where = "models[0]." + ".".join(path)
    with pytest.raises(VanishgradError, match=rf"^expected {said} as ") as caught:
        report_in(document)
    assert where.rpartition(".")[0] in str(caught.value)
    assert "; try to make the report anew with --json" in str(caught.value)


def test_an_item_of_a_list_is_named(reports: dict[str, ReportDocument]) -> None:
    document = copy.deepcopy(reports["compare: one trial"].to_dict())
    document["models"][0]["curves"]["state"]["log10_norm"]["median"][3] = 10**400
    with pytest.raises(VanishgradError, match=r"as models\[0\]\.curves\.state\.log10_norm\.median\[3\], got 1000"):
        report_in(document)


def test_an_older_report_is_refused_with_what_has_changed(reports: dict[str, ReportDocument]) -> None:
    document = {**reports["verify"].to_dict(), "format_version": 1}
    with pytest.raises(
        VanishgradError, match=r"format version 2, since which .*caution.*, got 1 .*; try to make it anew"
    ):
        report_in(document)
    for version in (FORMAT_VERSION + 1, "2", None, True, [2]):
        with pytest.raises(VanishgradError, match="expected a report of format version"):
            report_in({**document, "format_version": version})


def test_the_history_tells_every_version() -> None:
    assert list(HISTORY) == list(range(1, FORMAT_VERSION + 1))


@pytest.mark.parametrize("value", [None, [], 1, {}, {"format": "vanishgrad-"}, {"format": "compare"}, {"format": 3}])
def test_other_json_is_no_report(value: Any) -> None:
    with pytest.raises(VanishgradError, match="expected a report of vanishgrad, got other JSON"):
        report_in(value)


@pytest.mark.parametrize("text", ["", "{", "[1,", '{"format": NaN}', "[" * 10**5, "1" * 5000])
def test_what_is_no_json_is_a_sentence(tmp_path, text: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(
        VanishgradError, match=r"expected a (JSON report, or a page with one inside|report of vanishgrad), got"
    ):
        read_report(str(path))


def test_a_report_without_models_is_not_judged(reports: dict[str, ReportDocument]) -> None:
    with pytest.raises(VanishgradError, match="expected a report with models and curves, got one of verify"):
        demand_models(reports["verify"])


class LongerCurve(CurveDocument):
    final_lag: Annotated[Count, "the last lag that every trial has"]


def test_a_field_of_a_curve_is_declared_in_one_line() -> None:
    """What the result has under the same name is written, described and read by the line that declares it."""
    (model,) = compare(CompareRequest(models=("lstm",), hidden=3, steps=6)).models
    curve = model.curves["state"]
    longer = LongerCurve.of(curve, **vars(curve_document(curve)))
    assert longer.to_dict()["final_lag"] == curve.final_lag == 6
    assert LongerCurve.schema()["properties"]["final_lag"] == {
        "type": "integer", "minimum": 0, "description": "the last lag that every trial has",
    }  # fmt: skip
    assert LongerCurve.read(longer.to_dict()).final_lag == 6
    with pytest.raises(VanishgradError, match="a whole number from 0 as final_lag, got -1"):
        LongerCurve.read({**longer.to_dict(), "final_lag": -1})


def test_equal_statistics_of_one_trial_are_one_list() -> None:
    """Of a million lags each list takes 32 MB."""
    (model,) = comparison(compare(CompareRequest(models=("lstm",), hidden=3, steps=6, trials=1))).models
    for curve in model.curves.values():
        for band in (curve.log10_norm, curve.log10_rms):
            assert band.to_dict()["median"] is band.median is band.mean is band.low is band.high
