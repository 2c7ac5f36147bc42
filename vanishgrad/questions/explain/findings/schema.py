"""The JSON Schema of the findings and their remedies."""

from __future__ import annotations

from vanishgrad.reports.documents.models_schema import VERDICT
from vanishgrad.reports.documents.schema_parts import BOOLEAN, STRING, array, integer, mapping, nullable, number, record

REACH = record(
    {
        "horizon": nullable(integer()),
        "horizon_censored": BOOLEAN,
        "factor": nullable(number()),
        "log10_norm": nullable(number("of the state at the last lag, median")),
        "log10_input": nullable(number("of the input at the last lag, median")),
        "verdict": VERDICT,
    }
)

FINDING = record(
    {
        "rule": STRING,
        "title": STRING,
        "severity": number("nats per step that it costs or adds; what is paid once is divided by T"),
        "evidence": mapping(number()),
        "remedies": array(
            record({"name": STRING, "change": STRING, "before": REACH, "after": nullable(REACH)}),
            "changes to the weights with their effect, measured; after is null where a state overflows",
        ),
        "advice": array(STRING, "what helps without changing the weights, without a number"),
    }
)
SCHEMA = array(FINDING, "costliest first; empty if no rule finds anything")
