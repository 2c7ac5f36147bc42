"""``python -m tests.formal_answer.learning_study FILE``: trains what the formal answer says of learning, and writes its data.

Three questions, each on random networks of 32 units: how far each model learns on four tasks, beside its horizon
before training; what truncated backpropagation does to a gap that is longer; and whether the best remedy that `explain` finds
makes learnable what was not. A model's gaps are tried in order until no seed learns one.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from tests.formal_answer.learning_summary import summary
from vanishgrad.curves.processes import blas_threads, cores, map_in_processes
from vanishgrad.questions.compare import DEFAULT_MODELS
from vanishgrad.questions.explain.explain import explain
from vanishgrad.questions.explain.request import ExplainRequest
from vanishgrad.questions.learn.document import LearnSettings
from vanishgrad.questions.learn.findings import learning
from vanishgrad.questions.learn.named_tasks import named_task
from vanishgrad.questions.learn.parameters import Parameters
from vanishgrad.questions.learn.plan import Plan, start
from vanishgrad.questions.learn.run import trained
from vanishgrad.questions.learn.training import Recipe, Training
from vanishgrad.weights.model_string import parse

SETTINGS: dict[str, Any] = {
    "seeds": 3, "hidden": 32, "batch": 64, "updates": 600, "optimizer": "adam", "lr": 3e-3, "clip": 1.0,
    "truncation": None, "seed": 0, "dtype": "float32",
}  # fmt: skip
GAPS = (10, 15, 20, 30, 40, 60, 80, 120)
TASKS = ("recall", "order", "language", "language:zh,characters")
MODELS = (
    "rnn", "rnn@gaussian", "rnn@gaussian:gain=1.5", "rnn@identity", "rnn@orthogonal", "lstm", "lstm:forget_bias=1",
    "lstm:forget_bias=2", "lstm@chrono", "gru", "gru:forget_bias=2", "gru@chrono",
)  # fmt: skip
CUT_MODEL, CUTS = "lstm@chrono", ((20, 10), (20, 20), (40, 20), (40, 40))
"""Gaps, and segments of truncated backpropagation."""
REMEDIED, REMEDY_GAPS = ("rnn", "lstm", "gru"), (20, 40, 80)


class Unit(NamedTuple):
    """A piece of work, and what it costs beside others."""

    work: Callable[[], dict[str, Any]]
    cost: float


def claim(task: str, label: str) -> dict[str, Any]:
    """Train a model on a task, gap after gap, until no seed learns one."""
    settings = LearnSettings(models=(label,), gaps=GAPS, task=task, **SETTINGS)
    plan, finished = Plan(settings, {}, snapshots=False), {}
    for gap in GAPS:
        finished[label, gap] = result = trained(plan, (label, gap)).result
        if not result.solved:
            break
    (model,) = learning(settings, finished).models
    return {
        "question": "claim", "task": task, "model": label, "horizon": model.state_horizon,
        "censored": model.state_censored, "gaps": [each.gap for each in model.gaps],
        "updates": [list(each.updates) for each in model.gaps],
    }  # fmt: skip


def truncation(gap: int, segment: int) -> dict[str, Any]:
    """Train with segments of truncated backpropagation."""
    settings = LearnSettings(models=(CUT_MODEL,), gaps=(gap,), task="recall", **SETTINGS | {"truncation": segment})
    result = trained(Plan(settings, {}, snapshots=False), (CUT_MODEL, gap)).result
    return {"question": "truncation", "gap": gap, "truncation": segment, "updates": list(result.updates)}


def remedy(label: str) -> dict[str, Any]:
    """Train a model with the best remedy of `explain`; as it is drawn, the claim has it."""
    task, longest = named_task("recall"), max(REMEDY_GAPS)
    recipe = Recipe(**{each.name: SETTINGS[each.name] for each in dataclasses.fields(Recipe)})
    settings = LearnSettings(models=(label,), gaps=REMEDY_GAPS, task=task.name, **SETTINGS)
    before = start(label, task, longest, settings)
    request = ExplainRequest(
        source=label, hidden=32, steps=longest, trials=SETTINGS["seeds"], input_size=task.input_size,
        only=("findings",),
    )  # fmt: skip
    (model,) = explain(request).models
    best = model.sections["findings"].best
    single = best.cell.with_tensors(lambda tensor: tensor.astype(recipe.dtype))
    after = Parameters(single, before.W_hy, before.b_y)
    solved: list[Any] = []
    for gap in REMEDY_GAPS:
        training = Training(task, gap, recipe, after.with_flat(after.flat.copy()))
        list(training.updates())
        solved.append(training.course.solved_at)
    return {"question": "remedy", "model": label, "change": best.change, "gaps": list(REMEDY_GAPS), "updates": solved}


def units() -> list[Unit]:
    """Return all the work, what takes longest first."""
    cost = {"rnn": 1, "lstm": 4, "gru": 3}
    return [
        *(Unit(partial(claim, TASKS[0], label), 20 + cost[parse(label).cell]) for label in MODELS),
        *(Unit(partial(remedy, label), 10 + cost[label]) for label in REMEDIED),
        *(Unit(partial(truncation, gap, cut), 10) for gap, cut in CUTS),
        *(Unit(partial(claim, task, label), cost[parse(label).cell]) for task in TASKS[1:] for label in DEFAULT_MODELS),
    ]


def row(unit: Unit) -> dict[str, Any]:
    """Do a piece of work, and say what it found."""
    found = unit.work()
    print(json.dumps(found), file=sys.stderr, flush=True)
    return found


def main(path: str) -> None:
    with blas_threads(SETTINGS["hidden"], 2):
        rows = list(map_in_processes(row, units(), cores(), cost=lambda unit: unit.cost))
    write(path, rows)


def write(path: str, rows: list[dict[str, Any]]) -> None:
    """Write what was found, in the order of the work, and what it says together."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"settings": SETTINGS, "rows": rows, **summary(SETTINGS, rows)}, file, indent=1, ensure_ascii=False)
        file.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
