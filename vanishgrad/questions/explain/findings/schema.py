"""What an explanation says of truncation, of attention, and of what would change the gradient."""

from __future__ import annotations

from vanishgrad.reports.documents.models_schema import CURVE, VERDICT
from vanishgrad.reports.documents.schema_parts import (
    BAND,
    BOOLEAN,
    STRING,
    array,
    integer,
    mapping,
    nullable,
    number,
    record,
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
FINDINGS = array(FINDING, "costliest first; empty if no rule finds anything")
