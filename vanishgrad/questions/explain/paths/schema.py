"""The JSON Schema of the gradient by detours and gates."""

from __future__ import annotations

from vanishgrad.reports.documents.schema_parts import BAND, STRING, array, mapping, nullable, number, record

BY_LAG = array(nullable(number()), "index = lag; null where the whole is exactly zero")
CARRIED = record(
    {
        "log10_norm": BAND,
        "share": record({"mean": BY_LAG, "low": BY_LAG, "high": BY_LAG}),
    }
)

SCHEMA = record(
    {
        "curve": STRING,
        "detours": mapping(CARRIED, "number of detours: 0 (the conveyor), 1, 2, more"),
        "gates": mapping(CARRIED, "gate through which the last detour returns; with the conveyor they are the whole"),
        "sentence": STRING,
    }
)
