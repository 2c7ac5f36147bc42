"""A spoilt report is one sentence, whatever is wrong with it, in every command that reads one."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

import vanishgrad
from vanishgrad.errors import VanishgradError
from vanishgrad.questions.check.judge import CheckRequest, judgement
from vanishgrad.questions.diff import DiffRequest, difference
from vanishgrad.questions.documents import demand_models, report_in
from vanishgrad.questions.plot.render import available_kinds, draw
from vanishgrad.reports.documents.report import ModelsDocument

T = TypeVar("T")
REMOVED = object()
VALUES = (
    REMOVED, None, "text", "", -1, 0, 1e300, 10**400, True, [], [None], [1.0], {}, {"a": {}}, float("nan"),
    float("inf"),
)  # fmt: skip
"""What a field is set to: nothing, another type, another length, a number that cannot be."""


@pytest.fixture(scope="module")
def sound() -> dict[str, str]:
    few = {"hidden": 2, "steps": 6, "trials": 2}
    return {
        "compare": vanishgrad.compare(["lstm"], **few).to_json(),
        "explain": vanishgrad.explain("lstm@keras", **few).to_json(),
    }


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every member, of lists of the first and the last item."""
    members = value.items() if isinstance(value, dict) else ends(value) if isinstance(value, list) else ()
    for key, inner in members:
        yield (*path, key)
        yield from paths(inner, (*path, key))


def ends(values: list[Any]) -> list[tuple[int, Any]]:
    return [(i, values[i]) for i in sorted({0, len(values) - 1}) if values]


def refused_or(work: Callable[[], T]) -> T | None:
    """Return what work makes; None if it says in one sentence what is wrong."""
    try:
        return work()
    except VanishgradError as error:
        message = str(error)
        assert message.startswith("expected ")
        assert "; try " in message
        assert "\n" not in message
        return None


def readable(document: Any) -> Iterator[ModelsDocument]:
    """Yield the spoilt reports that still are as declared: what is spoilt may be another sound value.

    A report holds the lists of the document, which is sound again after each.
    """
    for path in list(paths(document)):
        holder = at(document, path[:-1])
        members, value = copy.copy(holder), holder[path[-1]]
        for other in VALUES:
            if other is REMOVED:
                del holder[path[-1]]
            else:
                holder[path[-1]] = other
            report = refused_or(lambda: demand_models(report_in(document)))
            if report is not None:
                yield report
            holder.clear()
            holder.update(members) if isinstance(holder, dict) else holder.extend(members)
        assert holder[path[-1]] is value


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


@pytest.mark.parametrize("command", ["compare", pytest.param("explain", marks=pytest.mark.slow)])
def test_check_and_diff_judge_it_or_say_what_is_wrong(sound: dict[str, str], command: str) -> None:
    before = demand_models(report_in(json.loads(sound[command])))
    asked = CheckRequest(
        report="r.json", curve="state", horizon=3, horizons={}, threshold=1e-2, max_rate=1.0, baseline=None
    )
    readings = 0
    for report in readable(json.loads(sound[command])):
        readings += 1
        refused_or(lambda r=report: judgement(r, asked).to_json())
        refused_or(lambda r=report: difference(before, r, DiffRequest(before="a", after="b")).to_json())
    assert readings > 100


@pytest.mark.slow
@pytest.mark.parametrize("command", ["compare", "explain"])
def test_plot_draws_it_or_says_what_is_wrong(sound: dict[str, str], command: str) -> None:
    for report in readable(json.loads(sound[command])):
        for kind in available_kinds(report):
            refused_or(lambda r=report, k=kind: draw(r, k))
