"""Every report validates against its schema, and the schema notices what is missing."""

from __future__ import annotations

import copy
import json

import jsonschema
import pytest

from vanishgrad.answer import AnswerRequest, answer
from vanishgrad.answer.renderers.claims_json import answer_document
from vanishgrad.questions.compare import CompareRequest, compare, comparison
from vanishgrad.questions.schema import BODIES, schema
from vanishgrad.questions.verify.measure import VerifyRequest, verify
from vanishgrad.questions.verify.report import verification
from vanishgrad.reports.documents.document import to_json

CASES = {
    "every cell": CompareRequest(models=("rnn", "lstm@chrono", "gru:reset=before"), hidden=5, steps=8, trials=3),
    "one trial": CompareRequest(models=("lstm",), hidden=3, steps=6, trials=1),
    "too short for a rate": CompareRequest(models=("gru",), hidden=3, steps=2, trials=2),
    "exactly zero": CompareRequest(
        models=("rnn@identity:activation=relu",), hidden=3, steps=40, trials=4, input="white:9"
    ),
    "exploding": CompareRequest(models=("rnn@gaussian:activation=linear,gain=30",), hidden=4, steps=30, trials=2),
    "lengths": CompareRequest(models=("lstm",), hidden=3, lengths="7,12,9"),
    "float32": CompareRequest(models=("lstm", "rnn"), hidden=3, steps=9, dtype="float32"),
}


def validator(command: str) -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema(command))
    return jsonschema.Draft202012Validator(schema(command))


@pytest.mark.parametrize("request_", CASES.values(), ids=CASES.keys())
def test_comparison_is_valid_and_strict(request_):
    text = to_json(comparison(compare(request_)))
    validator("compare").validate(json.loads(text, parse_constant=pytest.fail))


def test_verification_is_valid():
    validator("verify").validate(verification(verify(VerifyRequest(models=("rnn",), hidden=3, steps=4))))


def test_answer_is_valid():
    found = answer(AnswerRequest(models=("rnn", "lstm"), hidden=3, steps=8))
    validator("answer").validate(answer_document(found, "zh"))


@pytest.mark.parametrize("field", ["label", "curves", "check"])
def test_missing_field_is_noticed(field):
    document = copy.deepcopy(comparison(compare(CASES["one trial"])))
    del document["models"][0][field]
    with pytest.raises(jsonschema.ValidationError):
        validator("compare").validate(document)


@pytest.mark.parametrize("command", BODIES)
def test_every_schema_is_one(command):
    validator(command)
