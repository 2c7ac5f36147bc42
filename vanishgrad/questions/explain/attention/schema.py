"""The JSON Schema of attention and the additive skip."""

from __future__ import annotations

from vanishgrad.reports.documents.models_schema import CURVE
from vanishgrad.reports.documents.schema_parts import array, integer, nullable, number, record

SCHEMA = record(
    {
        "attention": {**CURVE, "description": "‖∂c_T/∂h_s‖₂ of a random head, by lag"},
        "skip": {**CURVE, "description": "‖I + ∂h_T/∂h_s‖₂ by lag"},
        "largest_score": number(minimum=0),
        "log10_floor": number("log₁₀ of e^(−2B)/T, which no weight is below; B the largest score"),
        "lengths": array(integer(least=1), "numbers of states t"),
        "log10_typical": array(nullable(number()), "log₁₀ of the median of ‖∂c_t/∂h_s‖₂ over s and trials"),
        "exponent": nullable(number("slope of ln of that against ln t; −1 is dilution among all states")),
    }
)
