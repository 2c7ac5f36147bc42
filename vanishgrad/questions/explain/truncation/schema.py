"""The JSON Schema of what truncated backpropagation loses."""

from __future__ import annotations

from vanishgrad.reports.documents.schema_parts import BAND, STRING, array, integer, nullable, number, record

CUT = record(
    {
        "length": integer("N: every output's gradient goes back through the N steps that end with it", least=1),
        "kept": number("‖G_<N‖/‖G‖, median over trials"),
        "lost": number("‖G − G_<N‖/‖G‖, median over trials"),
        "segments_lost": number("the same in segments of N steps, the state carried over and detached"),
    }
)

SCHEMA = record(
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
