"""The version of the reports' format, and what each changed. A reader takes its own version and no other."""

from __future__ import annotations

from collections.abc import Mapping

HISTORY: Mapping[int, str] = {
    1: "the first",
    2: "request.lengths is a list of whole numbers, or null, in every report (before, analyze and explain had the "
    "option as typed); members of request stand in another order, those of a file only where they were given; diff has "
    "no sections of explain; models have masked_steps, and request has padding and mask (of verify too), where they "
    "are not as by default; source.sha256 is over the numbers by their roles, whatever names and container they have; "
    "a model has input, what drove it, and caution, what to know of that, and so have a layer of check and an answer; "
    "a request of check has horizons and a baseline, and its "
    "horizon may be null; a check names what only the baseline has, and how that was measured otherwise; "
    "a layer of it has what it needs and was, and its best remedy; "
    "input_gain and gamma_norm are null, and norms empty, where derivatives were recorded and no weights are known; "
    "the kind of a source may be own, and an engine key-side or attention; "
    "bounds have the probability that random probes fail them; "
    "request has per_trial and curves have by_trial where they were asked for; "
    "a layer of inspect has time_constants where J_t is diagonal",
}
"""Version → what is different from the one before. Every change of members, types or meanings is a new version."""
FORMAT_VERSION = max(HISTORY)
