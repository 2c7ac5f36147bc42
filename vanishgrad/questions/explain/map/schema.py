"""The JSON Schema of the norms between any two steps."""

from __future__ import annotations

from vanishgrad.reports.documents.schema_parts import STRING, array, integer, nullable, number, record

SCHEMA = record(
    {
        "trial": integer(),
        "times": array(integer(), "steps, ascending; 0 is the start"),
        "log10_norm": array(array(nullable(number())), "[i][j]: log10 ‖∂s_t/∂s_k‖, t = times[i], k = times[j], j ≤ i"),
        "tokens": nullable(array(STRING, "what drove steps 1, 2, …, T")),
        "sentence": STRING,
    }
)
