"""What the rows of `learning_study` say together: the numbers and tables of the formal answer's section on learning."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from vanishgrad.questions.learn.findings import edge_of, exceptions, rank_correlation, sample_law
from vanishgrad.questions.learn.run import median

Row = dict[str, Any]
NAMED = {"rnn": "rnn", "lstm": "lstm", "orthogonal": "rnn@orthogonal", "chrono": "lstm@chrono"}
"""Models whose edges the prose names."""
SPOKEN = {"language": "english", "language:zh,characters": "chinese"}
"""Tasks whose names are no names of numbers."""


def summary(settings: Row, rows: Sequence[Row]) -> dict[str, Any]:
    """Return ``numbers`` and ``tables``; a table has columns and rows of names and numbers, null where there is none."""
    claims = [row for row in rows if row["question"] == "claim"]
    tasks = list(dict.fromkeys(row["task"] for row in claims))
    recall, english = ({row["model"]: row for row in claims if row["task"] == task} for task in (tasks[0], "language"))
    laws = list(filter(None, map(_law, recall.values())))
    remedies = [line for row in rows if row["question"] == "remedy" for line in _remedies(row, recall)]
    ratios = _ratios(claims)
    return {
        "numbers": {
            **{name: float(settings[name]) for name in ("updates", "seeds", "hidden", "batch")},
            **_order(claims, tasks, list(recall)),
            **_ranges(claims, laws),
            **{f"edge_{name}": _edge(recall[label]) for name, label in NAMED.items()},
            **{f"words_{name}": _edge(english[label]) for name, label in NAMED.items()},
            "remedied_gap": max(line[1] for line in remedies),
            "remedied_rnn": next(line[4] for line in reversed(remedies) if line[0] == "rnn"),
        },
        "tables": {
            "learning_edges": {
                "columns": ["model", "learn_horizon", *(f"learn_edge_{task}" for task in tasks), "learn_ratio"],
                "rows": [_edges(label, claims, tasks) for label in recall],
            },
            "learning_exceptions": {
                "columns": ["learn_task", "model", "learn_ratio"],
                "rows": [[*name.split(" "), ratios[name]] for name in exceptions(ratios)],
            },
            "learning_law": {
                "columns": ["model", "learn_slope", "learn_predicted", "learn_share", "learn_residual"],
                "rows": laws,
            },
            "learning_cut": {
                "columns": ["learn_gap", "learn_segment", "learn_solved", "learn_median"],
                "rows": sorted(
                    [float(row["gap"]), float(row["truncation"]), *_solved(row["updates"])]
                    for row in rows
                    if row["question"] == "truncation"
                ),
            },
            "learning_remedy": {
                "columns": ["model", "learn_gap", "learn_before", "learn_after", "learn_median"],
                "rows": remedies,
            },
        },
    }


def seed_edges(row: Row) -> list[int]:
    """Return each seed's edge: the last gap before the first that it did not learn."""
    return [
        edge_of([(gap, each is not None) for gap, each in zip(row["gaps"], of_seed, strict=True)])[0]
        for of_seed in zip(*row["updates"], strict=True)
    ]


def _order(claims: Sequence[Row], tasks: Sequence[str], labels: Sequence[str]) -> dict[str, float | None]:
    """Return the rank correlation of horizon and edge: of all tasks, with its interval, and of each task."""
    pairs = {(row["task"], row["model"]): [(row["horizon"], edge) for edge in seed_edges(row)] for row in claims}
    by_model = [[pair for (_, label), each in pairs.items() if label == model for pair in each] for model in labels]
    rho, low, high = rank_correlation(by_model)
    of_task = {
        SPOKEN.get(task, task): rank_correlation([each for (name, _), each in pairs.items() if name == task])[0]
        for task in tasks
    }
    return {"correlation": rho, "low": low, "high": high, "pairs": float(sum(map(len, by_model))), **of_task}


def _ranges(claims: Sequence[Row], laws: Sequence[Sequence[Any]]) -> dict[str, float]:
    shares, ratios = [law[3] for law in laws], _ratios(claims)
    gaps = [gap for row in claims for gap in row["gaps"]]
    return {
        "models": float(len({row["model"] for row in claims})),
        "shortest": float(min(gaps)),
        "longest": float(max(gaps)),
        "furthest": float(max(row["horizon"] for row in claims if row["task"] == claims[0]["task"])),
        "ratio": statistics.median(ratios.values()),
        "least_share": min(shares),
        "most_share": max(shares),
        "residual": max(law[4] for law in laws),
    }


def _edge(row: Row) -> float:
    return float(statistics.median(seed_edges(row)))


def _ratios(claims: Sequence[Row]) -> dict[str, float]:
    """Return ``task model`` → edge over horizon, where the horizon lies within what was measured."""
    return {f"{row['task']} {row['model']}": _edge(row) / row["horizon"] for row in claims if not row["censored"]}


def _edges(label: str, claims: Sequence[Row], tasks: Sequence[str]) -> list[Any]:
    at = {row["task"]: row for row in claims if row["model"] == label}
    first = at[tasks[0]]
    edges = [_edge(at[task]) if task in at else None for task in tasks]
    return [label, float(first["horizon"]), *edges, next(iter(_ratios([first]).values()), None)]


def _law(row: Row) -> list[Any] | None:
    """Return slope, what N4 predicts, the share of it, and the largest residual."""
    gaps = list(zip(row["gaps"], map(median, row["updates"]), strict=True))
    law = sample_law(gaps, None if row["censored"] else row["horizon"])
    if law is None or law.predicted is None:
        return None
    return [row["model"], law.slope, law.predicted, law.slope / law.predicted, max(map(abs, law.residuals))]


def _solved(updates: Sequence[int | None]) -> tuple[float, float | None]:
    return float(sum(each is not None for each in updates)), median(updates)


def _remedies(row: Row, recall: dict[str, Row]) -> list[list[Any]]:
    """Return a line for each gap; null before it where a shorter gap was learned by no seed."""
    before = dict(zip(recall[row["model"]]["gaps"], recall[row["model"]]["updates"], strict=True))
    return [
        [row["model"], float(gap), _solved(before[gap])[0] if gap in before else None, *_solved(updates)]
        for gap, updates in zip(row["gaps"], row["updates"], strict=True)
    ]
