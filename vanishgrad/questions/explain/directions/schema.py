"""The JSON Schema of all singular values at a few lags."""

from __future__ import annotations

from vanishgrad.reports.documents.schema_parts import BOOLEAN, STRING, array, integer, mapping, nullable, number, record

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

SCHEMA = record(
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
