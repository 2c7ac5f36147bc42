"""What an explanation says of a model, section by section."""

from __future__ import annotations

from collections.abc import Mapping

from vanishgrad.report.schema.models import ANALYZE_REQUEST, CURVE, MODEL_FIELDS, VERDICT
from vanishgrad.report.schema.parts import (
    BAND,
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

SIGMAS = array(nullable(number()), "index = rank of the singular value, descending; null = exactly zero")
CARRIERS = nullable(
    record(
        {
            "number": number("1/Σ v_i⁴ of the unit vector v"),
            "units": array(
                record(
                    {
                        "part": STRING,
                        "unit": integer(),
                        "share": number("v_i²"),
                        "time_constant": nullable(number("-1/ln of the mean of the gate that keeps it, steps")),
                    }
                ),
                "largest first",
            ),
        }
    )
)

DIRECTIONS = record(
    {
        "blocks": mapping(
            array(
                record(
                    {
                        "lag": integer(),
                        "log10_sigma": record({"median": SIGMAS, "low": SIGMAS, "high": SIGMAS}),
                        "effective_rank": number("exp of the entropy of σ/Σσ; 0 for a product that is zero"),
                        "spread_log10": nullable(number("standard deviation of log₁₀ σ; 0 for an isometry")),
                        "zeros": integer("singular values that are zero to rounding"),
                        "error_log10": array(number(), "estimated error of each log₁₀ σ"),
                        "source": CARRIERS,
                        "target": CARRIERS,
                    }
                ),
                "by ascending lag",
            ),
            "state, and for an LSTM cell",
        ),
        "trials": integer(least=1),
        "pooled": BOOLEAN,
        "sentence": STRING,
    }
)

EXPONENTS = array(nullable(number()), "nats per step, descending; null = minus infinity, or no error known")

LYAPUNOV = record(
    {
        "exponents": record({"mean": EXPONENTS, "error": EXPONENTS, "low": EXPONENTS, "high": EXPONENTS}),
        "finite_time": EXPONENTS,
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

CUT = record(
    {
        "length": integer("N: every output's gradient goes back through the N steps that end with it", least=1),
        "kept": number("‖G_<N‖/‖G‖, median over trials"),
        "lost": number("‖G − G_<N‖/‖G‖, median over trials"),
        "segments_lost": number("the same in segments of N steps, the state carried over and detached"),
    }
)

TRUNCATION = record(
    {
        "loss": STRING,
        "log10_share": {**BAND, "description": "‖G_l‖/‖G‖ by lag l"},
        "log10_kept": {**BAND, "description": "‖G_<N‖/‖G‖ by length; index 0 is N = 1"},
        "log10_lost": {**BAND, "description": "‖G − G_<N‖/‖G‖ by length; null = nothing is lost"},
        "allowed": number("what a length may lose to be long enough"),
        "shortest": record({"median": integer(least=1), "low": integer(least=1), "high": integer(least=1)}),
        "advised": CUT,
        "asked": nullable(CUT),
        "contraction": nullable(number("γ‖W‖₂, the largest over trials; null for a gated cell")),
        "log10_bound": nullable(array(nullable(number()), "proved bound of what any trial loses, by length")),
        "zero_trials": integer("trials whose gradient is exactly zero, left out"),
    }
)

ATTENTION = record(
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

SECTIONS: Mapping[str, Schema] = {
    "paths": PATHS,
    "directions": DIRECTIONS,
    "lyapunov": LYAPUNOV,
    "truncation": TRUNCATION,
    "attention": ATTENTION,
    "findings": array(FINDING, "dearest first; empty if no rule finds anything"),
}
"""Name of a section → its schema; null where it does not apply, absent where it was not asked for."""

EXPLAINED_MODEL = record(
    {**MODEL_FIELDS, **{name: nullable(section) for name, section in SECTIONS.items()}}, optional=tuple(SECTIONS)
)

EXPLAIN_REQUEST = record(
    {
        **{name: schema for name, schema in ANALYZE_REQUEST["properties"].items() if name != "weights"},
        "source": nullable(STRING),
        "only": array(STRING),
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
