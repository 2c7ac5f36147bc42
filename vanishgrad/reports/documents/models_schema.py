"""What was measured of a model, and what was asked for."""

from __future__ import annotations

from vanishgrad.reports.documents.schema_parts import (
    BAND,
    BOOLEAN,
    LOGS,
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

MODEL_FIELDS: dict[str, Schema] = {
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
    "curves": mapping(CURVE, "state, hidden, cell, conveyor, input, output; of explain also total …"),
    "share_by_lag": array(number(), "share of the terms of ‖∂L/∂W_hh‖ by lag, mean over trials"),
    "gates": mapping(GATE),
    "time_constants": nullable(array(nullable(number()), "-1/ln of each unit's mean forget or keep gate, in steps")),
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

MODEL = record(MODEL_FIELDS)

LEFT_OUT: dict[str, Schema] = {
    "curves": array(STRING, "where not all of them were measured"),
    "summary": {**BOOLEAN, "description": "true where only `state` and the last lag of `input` were measured"},
}

RUN: dict[str, Schema] = {
    "steps": integer(least=1),
    "trials": integer(least=1),
    "seed": integer(),
    "input": STRING,
    "initial": STRING,
    "burn_in": integer(),
    "threshold": number(),
    "dtype": one_of("float64", "float32"),
    "engine": one_of("auto", "dense", "adaptive", "matrix-free"),
    "backend": one_of("numpy", "torch", "cupy"),
    "device": nullable(one_of("cpu", "cuda")),
    "band": one_of("min-max", "5-95 %"),
}

OF_FILES: dict[str, Schema] = {
    "layers": array(STRING),
    "stack": array(STRING),
    "embedding": nullable(STRING),
    "lengths": nullable(STRING),
}

COMPARE_REQUEST = record(
    {
        "models": array(STRING),
        "hidden": integer(least=1),
        "input_size": integer(least=1),
        "lengths": nullable(array(integer(least=1))),
        **RUN,
        **LEFT_OUT,
    },
    optional=tuple(LEFT_OUT),
)

ANALYZE_REQUEST = record({"weights": array(STRING), **OF_FILES, **RUN, **LEFT_OUT}, optional=tuple(LEFT_OUT))
