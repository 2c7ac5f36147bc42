"""The JSON Schema of an explanation: a model as `compare` has it, and its sections."""

from __future__ import annotations

from vanishgrad.questions.explain.sections import SECTIONS
from vanishgrad.reports.documents.models_schema import MODEL_FIELDS, OF_FILES, RUN
from vanishgrad.reports.documents.schema_parts import (
    STRING,
    array,
    integer,
    nullable,
    one_of,
    record,
)

EXPLAINED_MODEL = record(
    {**MODEL_FIELDS, **{name: nullable(section.schema) for name, section in SECTIONS.items()}}, optional=tuple(SECTIONS)
)
"""A section is null where it does not apply, absent where it was not asked for."""

EXPLAIN_REQUEST = record(
    {
        **OF_FILES,
        **RUN,
        "source": nullable(STRING),
        "only": array(STRING),
        "tokens": nullable(STRING),
        "hidden": integer(least=1),
        "lags": array(integer(least=1)),
        "exponents": nullable(integer(least=1)),
        "lyapunov_steps": nullable(integer(least=1)),
        "input_size": nullable(integer(least=1)),
        "loss": one_of("all", "last"),
        "cotangent": nullable(STRING),
        "truncation": nullable(integer(least=1)),
    }
)
