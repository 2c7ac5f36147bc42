"""The JSON Schema of the Lyapunov exponents."""

from __future__ import annotations

from vanishgrad.reports.documents.schema_parts import BOOLEAN, STRING, array, integer, nullable, number, one_of, record

EXPONENTS = array(nullable(number()), "nats per step, descending; null = minus infinity, or no error known")

SCHEMA = record(
    {
        "exponents": record({"mean": EXPONENTS, "error": EXPONENTS, "low": EXPONENTS, "high": EXPONENTS}),
        "finite_time": EXPONENTS,
        "mean_field": nullable(EXPONENTS),
        "unit": one_of("nats/step"),
        "complete": BOOLEAN,
        "steps": integer(least=1),
        "burn_in": integer(),
        "finite_steps": integer(least=1),
        "input_continued": BOOLEAN,
        "kaplan_yorke_dimension": nullable(number()),
        "entropy": nullable(number("nats per step")),
        "sum_rule": nullable(record({"sum": number(), "log_det": number(), "difference": number()})),
        "history": array(record({"steps": integer(least=1), "exponents": EXPONENTS})),
        "sentence": STRING,
    }
)
