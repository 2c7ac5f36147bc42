"""What an explanation says of a model, section by section."""

from __future__ import annotations

from collections.abc import Mapping

from vanishgrad.questions.explain.findings.schema import ATTENTION, FINDINGS, TRUNCATION
from vanishgrad.questions.explain.spectra_schema import DIRECTIONS, LYAPUNOV
from vanishgrad.reports.documents.models_schema import MODEL_FIELDS, OF_FILES, RUN
from vanishgrad.reports.documents.schema_parts import (
    BAND,
    STRING,
    Schema,
    array,
    integer,
    mapping,
    nullable,
    number,
    one_of,
    record,
)

BY_LAG = array(nullable(number()), "index = lag; null where the whole is exactly zero")
CARRIED = record(
    {
        "log10_norm": BAND,
        "share": record({"mean": BY_LAG, "low": BY_LAG, "high": BY_LAG}),
    }
)

PATHS = record(
    {
        "curve": STRING,
        "detours": mapping(CARRIED, "number of detours: 0 (the conveyor), 1, 2, more"),
        "gates": mapping(CARRIED, "gate through which the last detour returns; with the conveyor they are the whole"),
        "sentence": STRING,
    }
)

MAP = record(
    {
        "trial": integer(),
        "times": array(integer(), "steps, ascending; 0 is the start"),
        "log10_norm": array(array(nullable(number())), "[i][j]: log10 ‖∂s_t/∂s_k‖, t = times[i], k = times[j], j ≤ i"),
        "tokens": nullable(array(STRING, "what drove steps 1, 2, …, T")),
        "sentence": STRING,
    }
)

SECTIONS: Mapping[str, Schema] = {
    "paths": PATHS,
    "map": MAP,
    "directions": DIRECTIONS,
    "lyapunov": LYAPUNOV,
    "truncation": TRUNCATION,
    "attention": ATTENTION,
    "findings": FINDINGS,
}
"""Name of a section → its schema; null where it does not apply, absent where it was not asked for."""

EXPLAINED_MODEL = record(
    {**MODEL_FIELDS, **{name: nullable(section) for name, section in SECTIONS.items()}}, optional=tuple(SECTIONS)
)

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
