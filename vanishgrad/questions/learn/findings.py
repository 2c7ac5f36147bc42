"""What the trained models say together: edges, the order of horizons, the law of samples, a sentence for each."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import rankdata

from vanishgrad.cells.registry import CELLS
from vanishgrad.languages import in_english
from vanishgrad.questions.learn.document import (
    HorizonOrder,
    LearnDocument,
    LearnedGap,
    LearnedModel,
    LearnSettings,
    SampleLaw,
)
from vanishgrad.questions.learn.plan import THRESHOLD, Key, resolved
from vanishgrad.questions.learn.report import sentence
from vanishgrad.weights.model_string import names_own_cell, parse

BOOTSTRAP = 2000
EXCEPTION = 2.0
"""A ratio of edge to horizon so many times the median, or its inverse, is an exception."""


def learning(settings: LearnSettings, finished: Mapping[Key, LearnedGap]) -> LearnDocument:
    """Return the document of what is finished."""
    rows = {
        label: [finished[label, gap] for gap in sorted(settings.gaps) if (label, gap) in finished]
        for label in settings.models
    }
    models = [_model(label, gaps, settings) for label, gaps in rows.items() if gaps]
    complete = sum(map(len, rows.values())) == len(settings.models) * len(settings.gaps)
    return LearnDocument(request=settings, complete=complete, models=models, order=horizon_order(models))


def _model(label: str, gaps: Sequence[LearnedGap], settings: LearnSettings) -> LearnedModel:
    longest = gaps[-1]
    at_start = longest.snapshots[0]
    edge, censored = edge_of([(each.gap, each.median is not None) for each in gaps])
    horizon, is_own = at_start.state_horizon, names_own_cell(label)
    model = LearnedModel(
        label=label,
        spec=label if is_own else str(resolved(label, longest.steps, settings)),
        cell="own" if is_own else CELLS[parse(label).cell].name,
        state_horizon=horizon,
        state_censored=at_start.state_censored,
        input_horizon=at_start.input_horizon,
        input_censored=at_start.input_censored,
        edge=edge,
        edge_censored=censored,
        edge_over_horizon=edge / horizon if horizon else None,
        law=sample_law([(each.gap, each.median) for each in gaps], None if at_start.state_censored else horizon),
        sentence="",
        gaps=gaps,
    )
    return model.with_members(sentence=in_english(sentence, model))


def edge_of(solved: Sequence[tuple[int, bool]]) -> tuple[int, bool]:
    """Return the last gap before the first that was not solved, 0 if that is the first; and whether all were."""
    edge = 0
    for gap, is_solved in solved:
        if not is_solved:
            return edge, False
        edge = gap
    return edge, True


def sample_law(gaps: Sequence[tuple[int, float | None]], horizon: int | None) -> SampleLaw | None:
    """Fit ln(updates) by least squares over three solved gaps or more; `gaps` are (gap, median updates)."""
    points = [(gap, math.log(updates)) for gap, updates in gaps if updates is not None]
    if len(points) < 3:
        return None
    at, logs = np.array(points).T
    slope, intercept = np.polyfit(at, logs, 1)
    return SampleLaw(
        slope=float(slope),
        predicted=2 * -math.log(THRESHOLD) / horizon if horizon else None,
        gaps=[gap for gap, _ in points],
        residuals=(logs - slope * at - intercept).tolist(),
    )


def horizon_order(models: Sequence[LearnedModel]) -> HorizonOrder:
    """Return Spearman's rank correlation of horizon and edge, each seed's edge a pair, with its bootstrap interval.

    Models are resampled, each with all its seeds: seeds of one model share its horizon. What is censored is a tie at
    the largest value.
    """
    pairs = [_pairs(model) for model in models]
    rho, low, high = rank_correlation(pairs)
    ratios = {m.label: m.edge_over_horizon for m in models if m.edge_over_horizon and not m.state_censored}
    return HorizonOrder(
        rank_correlation=rho,
        low=low,
        high=high,
        pairs=sum(map(len, pairs)),
        exceptions=exceptions(ratios),
    )


def exceptions(ratios: Mapping[str, float]) -> list[str]:
    """Return the models whose edge over horizon is far from the median of all."""
    usual = statistics.median(ratios.values()) if ratios else 0.0
    return [label for label, ratio in ratios.items() if not usual / EXCEPTION <= ratio <= usual * EXCEPTION]


def rank_correlation(
    pairs: Sequence[Sequence[tuple[int, int]]],
) -> tuple[float | None, float | None, float | None]:
    """Return Spearman's ρ of all pairs, and the 2.5 % and 97.5 % quantiles over `BOOTSTRAP` samples of their groups."""
    rng = np.random.default_rng(0)
    resampled = [
        _spearman([pairs[i] for i in rng.integers(0, len(pairs), len(pairs))])
        for _ in range(BOOTSTRAP if len(pairs) > 2 else 0)
    ]
    values = [value for value in resampled if value is not None]
    low, high = np.quantile(values, [0.025, 0.975]).tolist() if values else (None, None)
    return _spearman(pairs), low, high


def _pairs(model: LearnedModel) -> list[tuple[int, int]]:
    seeds = range(len(model.gaps[0].updates))
    edges = [edge_of([(each.gap, each.updates[seed] is not None) for each in model.gaps])[0] for seed in seeds]
    return [(model.state_horizon or 0, edge) for edge in edges]


def _spearman(pairs: Sequence[Sequence[tuple[int, int]]]) -> float | None:
    flat = [pair for of_model in pairs for pair in of_model]
    horizon, edge = zip(*flat, strict=True) if flat else ((), ())
    if len(set(horizon)) < 2 or len(set(edge)) < 2:
        return None
    return float(np.corrcoef(rankdata(horizon), rankdata(edge))[0, 1])
