"""The JSON Schema (draft 2020-12) of every report."""

from __future__ import annotations

from vanishgrad.cells.registry import CELLS
from vanishgrad.questions.explain.schema import EXPLAIN_REQUEST, EXPLAINED_MODEL
from vanishgrad.reports.documents.document import FORMAT_VERSION
from vanishgrad.reports.documents.models_schema import ANALYZE_REQUEST, COMPARE_REQUEST, MODEL, VERDICT
from vanishgrad.reports.documents.schema_parts import (
    BOOLEAN,
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

LINE = record({"label": STRING, "claim": STRING, "error": number(), "tolerance": number(), "passed": BOOLEAN})
VERIFY_REQUEST = record({"models": array(STRING), "hidden": integer(), "steps": integer(), "seed": integer()})

LAYER = record(
    {
        "name": STRING,
        "cell": one_of(*CELLS),
        "variant": nullable(STRING),
        "hidden_size": integer(least=1),
        "input_size": integer(least=1),
        "output_size": integer(least=1),
        "layer_index": integer(),
        "direction": one_of("forward", "backward"),
        "driven_by": nullable(array(STRING, "layers below; null = the file does not tell")),
        "dtype": STRING,
        "layout": STRING,
        "activation": STRING,
        "gate_activation": nullable(STRING),
        "reset": nullable(one_of("after", "before")),
        "why": STRING,
        "assumptions": array(STRING),
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "norms": mapping(number(), "gate → ‖W_hh of the gate‖₂"),
        "spectral_radius": nullable(number("of the candidate's W_hh, of the whole without gates")),
        "gamma_norm": number(),
        "keep_bias": nullable(
            record(
                {
                    "mean": number(),
                    "quantiles": mapping(number()),
                    "time_constants": mapping(number(), "-1/ln σ(b) at the quantiles, in steps"),
                    "chrono_horizon": number(),
                }
            )
        ),
    }
)

CHECKED = record(
    {
        "label": STRING,
        "horizon": integer(least=-1),
        "censored": BOOLEAN,
        "verdict": VERDICT,
        "rate": nullable(number()),
        "passed": BOOLEAN,
        "reasons": array(STRING),
    }
)
CHECK_REQUEST = record(
    {
        "report": STRING,
        "curve": STRING,
        "horizon": integer(least=1),
        "threshold": number(),
        "max_rate": nullable(number()),
    }
)

CHANGE = record(
    {
        "label": STRING,
        "curve": nullable(STRING),
        "quantity": STRING,
        "before": number(),
        "after": number(),
        "change": number(),
        "weight": number("sorts the changes", minimum=0),
    }
)

CLAIM = record(
    {
        "id": STRING,
        "theorem": STRING,
        "version": STRING,
        "model": STRING,
        "hypotheses": array(record({"name": STRING, "value": nullable(number()), "holds": BOOLEAN})),
        "facts": mapping(nullable(number())),
        "speaks": BOOLEAN,
        "quantity": STRING,
        "side": STRING,
        "log10_bound": nullable(number()),
        "log10_measured": nullable(number()),
        "log10_slack": nullable(number()),
        "proof": STRING,
    }
)

IN_COQ = record(
    {**dict.fromkeys(("part", "name", "file", "statement"), STRING), "axioms": array(STRING)},
)

BODIES: dict[str, dict[str, Schema]] = {
    "compare": {"request": COMPARE_REQUEST, "models": array(MODEL)},
    "analyze": {"request": ANALYZE_REQUEST, "models": array(MODEL), "refused": array(STRING)},
    "explain": {"request": EXPLAIN_REQUEST, "models": array(EXPLAINED_MODEL), "refused": array(STRING)},
    "inspect": {"file": STRING, "file_format": STRING, "layers": array(LAYER), "refused": array(STRING)},
    "check": {"request": CHECK_REQUEST, "passed": BOOLEAN, "layers": array(CHECKED)},
    "diff": {
        "request": record({"before": STRING, "after": STRING}),
        "only_before": array(STRING),
        "only_after": array(STRING),
        "changes": array(CHANGE),
        "models": array(MODEL),
    },
    "answer": {
        "language": one_of("en", "zh"),
        "request": record({"models": array(STRING), "hidden": integer(), "steps": integer(), "seed": integer()}),
        "models": array(record({"label": STRING, "spec": STRING})),
        "theorems": array(
            record(
                {
                    **dict.fromkeys(("id", "symbol", "title", "statement", "proof"), STRING),
                    "coq": array(IN_COQ),
                    "on_paper": array(STRING),
                }
            )
        ),
        "claims": array(CLAIM),
        "numbers": mapping(nullable(number()), "every number that stands in the text"),
    },
    "certify": {
        "certificate": STRING,
        "verdict": one_of("valid", "invalid", "inconclusive"),
        "reason": STRING,
        "shown": array(STRING),
    },
    "verify": {"request": VERIFY_REQUEST, "passed": BOOLEAN, "lines": array(LINE)},
}


def schema(command: str) -> Schema:
    """Return the schema of the report that a command writes with --json."""
    head = {"format": one_of(f"vanishgrad-{command}"), "format_version": one_of(FORMAT_VERSION), "vanishgrad": STRING}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"vanishgrad {command}",
        **record({**head, **BODIES[command]}),
    }
