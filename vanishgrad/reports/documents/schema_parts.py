"""What every schema is built from."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def record(properties: dict[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    """Return an object that has these members; fields may be added, so others are allowed."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def array(items: Schema, about: str = "") -> Schema:
    """Return a list of one kind of thing."""
    return {"type": "array", "items": items, **({"description": about} if about else {})}


def mapping(values: Schema, about: str = "") -> Schema:
    """Return an object with names that are not known beforehand."""
    return {"type": "object", "additionalProperties": values, **({"description": about} if about else {})}


def nullable(schema: Schema) -> Schema:
    """Return the same or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def number(about: str = "", **limits: Any) -> Schema:
    """Return a number."""
    return {"type": "number", **limits, **({"description": about} if about else {})}


def integer(about: str = "", least: int = 0) -> Schema:
    """Return an integer from `least` on."""
    return {"type": "integer", "minimum": least, **({"description": about} if about else {})}


def one_of(*values: Any) -> Schema:
    """Return one of some constants."""
    return {"enum": list(values)}


STRING: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}
LOGS = array(
    nullable(number()),
    "index = lag; null = exactly zero (in `mean`: zero in some trial), or not measured: `count` is 0 there; "
    "of a matrix-free run log10_rms is measured at lag 0 alone",
)
BAND = record({"median": LOGS, "mean": LOGS, "low": LOGS, "high": LOGS})
