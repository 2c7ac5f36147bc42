"""Small trainings that tests share."""

from __future__ import annotations

from typing import Any

from vanishgrad.questions.learn.document import LearnDocument, LearnSettings
from vanishgrad.questions.learn.findings import learning
from vanishgrad.questions.learn.plan import Plan
from vanishgrad.questions.learn.run import learn

SMALL: dict[str, Any] = {
    "models": ("rnn@orthogonal", "gru"), "gaps": (3, 6), "task": "recall", "seeds": 2, "hidden": 6, "batch": 8,
    "updates": 12, "optimizer": "adam", "lr": 0.03, "clip": 1.0, "truncation": None, "seed": 0, "dtype": "float64",
}  # fmt: skip


def settings(**changed: Any) -> LearnSettings:
    return LearnSettings(**{**SMALL, **changed})


def learned(jobs: int = 1, snapshots: bool = True, **changed: Any) -> LearnDocument:
    plan = Plan(settings(**changed), {}, snapshots=snapshots)
    return learning(plan.settings, {each.key: each.result for each in learn(plan, lambda text: None, jobs)})
