"""What the singular values and the Lyapunov exponents of a model are said to be."""

from __future__ import annotations

from vanishgrad.reports.documents.schema_parts import (
    BOOLEAN,
    STRING,
    array,
    integer,
    mapping,
    nullable,
    number,
    one_of,
    record,
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
