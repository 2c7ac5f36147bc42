"""The JSON Schema (draft 2020-12) of every report."""

from __future__ import annotations

from typing import Any

from vanishgrad.report.document import FORMAT_VERSION

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
VERDICT = one_of("vanishing", "preserved", "exploding", "inconclusive")

RATE = record(
    {
        "value": number("least-squares slope over the second half of the lags, mean over trials"),
        "low": nullable(number("95 % interval; null with one trial")),
        "high": nullable(number()),
        "factor": nullable(number("exp(value)")),
        "unit": one_of("nats/step"),
    }
)

CURVE = record(
    {
        "log10_norm": BAND,
        "log10_rms": BAND,
        "count": array(integer(), "trials at each lag, 0 where it was not measured"),
        "zero_trials": integer("trials exactly zero at the last common lag"),
        "zero_lag": nullable(number("median first lag that is exactly zero")),
        "alive": mapping(integer(), "lag → singular values at or above the threshold, median over trials"),
        "rate": nullable(RATE),
        "trend": nullable(one_of("contracting", "neutral", "expanding")),
        "half_life": nullable(number("ln 2/|rate|, only if contracting")),
        "projected_horizon": nullable(integer("ln(threshold)/rate, only if contracting")),
        "horizon": nullable(
            integer("last lag up to which the median stays at the threshold; null if below at lag 0, or not resolved")
        ),
        "horizon_censored": BOOLEAN,
        "horizon_low": nullable(integer()),
        "horizon_high": nullable(integer()),
        "threshold": number(exclusiveMinimum=0, exclusiveMaximum=1),
        "verdict": VERDICT,
        "verdict_counts": mapping(integer()),
        "peak": nullable(record({"lag": integer(), "log10_norm": number()})),
    }
)

SOURCE: Schema = {
    "oneOf": [
        record({"kind": one_of("random"), "law": STRING, "seed": integer()}),
        record(
            {
                "kind": one_of("file"),
                "path": nullable(STRING),
                "layer": STRING,
                "layer_index": integer(),
                "direction": one_of("forward", "backward"),
                "layout": STRING,
                "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            }
        ),
    ]
}

GATE = record(
    {
        "mean": number(),
        "quantiles": mapping(number()),
        "saturated": record({"near_zero": number("fraction below 0.05"), "near_one": number("fraction above 0.95")}),
    }
)

BOUND = record(
    {
        "name": STRING,
        "curve": STRING,
        "claim": STRING,
        "value": nullable(number()),
        "holds": nullable(BOOLEAN),
        "log10_norm": nullable(LOGS),
    }
)

CHECK = record({"jacobian_error": number(), "tolerance": number(), "steps": integer(), "directions": integer()})

ENGINE = record(
    {
        "name": one_of("dense", "adaptive", "matrix-free"),
        "final_rows": integer("rows of the product that were left at the last lag; matrix-free: Lanczos steps there"),
        "error_bound": number(
            "relative, of every norm at every lag; adaptive: holds with probability 1 - 1.6e-9 for each; matrix-free: "
            "by residuals, some singular value lies within, the largest one but for a start that has none of it"
        ),
        "float32_loss": nullable(number("of a run in float32, largest |Δ ln ‖∂s_T/∂s_k‖₂| from float64's, in trial 0")),
    }
)

MODEL = record(
    {
        "label": STRING,
        "spec": STRING,
        "cell": STRING,
        "hidden_size": integer(least=1),
        "input_size": integer(least=1),
        "state_size": integer(least=1),
        "steps": integer(least=1),
        "trials": integer(least=1),
        "input_gain": number("measured standard deviation of W_hx x"),
        "source": SOURCE,
        "curves": mapping(CURVE, "state, hidden, cell, conveyor, input, output"),
        "share_by_lag": array(number(), "share of the terms of ‖∂L/∂W_hh‖ by lag, mean over trials"),
        "gates": mapping(GATE),
        "time_constants": nullable(
            array(nullable(number()), "-1/ln of each unit's mean forget or keep gate, in steps")
        ),
        "bounds": array(BOUND),
        "per_trial": array(
            record(
                {
                    "trial": integer(),
                    "rate": nullable(number()),
                    "log10_norm": nullable(number()),
                    "verdict": VERDICT,
                }
            )
        ),
        "check": CHECK,
        "engine": ENGINE,
        "notes": array(STRING),
    }
)

COMPARE_REQUEST = record(
    {
        "models": array(STRING),
        "hidden": integer(least=1),
        "input_size": integer(least=1),
        "steps": integer(least=1),
        "trials": integer(least=1),
        "seed": integer(),
        "input": STRING,
        "initial": STRING,
        "burn_in": integer(),
        "lengths": nullable(array(integer(least=1))),
        "threshold": number(),
        "dtype": one_of("float64", "float32"),
        "engine": one_of("auto", "dense", "adaptive", "matrix-free"),
        "backend": one_of("numpy", "torch", "cupy"),
        "device": nullable(one_of("cpu", "cuda")),
        "band": one_of("min-max", "5-95 %"),
    }
)

LINE = record({"label": STRING, "claim": STRING, "error": number(), "tolerance": number(), "passed": BOOLEAN})
VERIFY_REQUEST = record({"models": array(STRING), "hidden": integer(), "steps": integer(), "seed": integer()})

ANALYZE_REQUEST = record(
    {
        "weights": array(STRING),
        "layers": array(STRING),
        "stack": array(STRING),
        "embedding": nullable(STRING),
        "steps": integer(least=1),
        "trials": integer(least=1),
        "seed": integer(),
        "input": STRING,
        "initial": STRING,
        "burn_in": integer(),
        "lengths": nullable(STRING),
        "threshold": number(),
        "dtype": one_of("float64", "float32"),
        "engine": one_of("auto", "dense", "adaptive", "matrix-free"),
        "backend": one_of("numpy", "torch", "cupy"),
        "device": nullable(one_of("cpu", "cuda")),
        "band": one_of("min-max", "5-95 %"),
    }
)

LAYER = record(
    {
        "name": STRING,
        "cell": one_of("rnn", "lstm", "gru"),
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

BODIES: dict[str, dict[str, Schema]] = {
    "compare": {"request": COMPARE_REQUEST, "models": array(MODEL)},
    "analyze": {"request": ANALYZE_REQUEST, "models": array(MODEL), "refused": array(STRING)},
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
            record({"id": STRING, "symbol": STRING, "title": STRING, "statement": STRING, "proof": STRING})
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
