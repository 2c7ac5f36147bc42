"""Tasks by name: which one an argument of `learn` asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from vanishgrad.errors import UsageError
from vanishgrad.questions.learn.language import SENTENCES, Language
from vanishgrad.questions.learn.own_data import OwnData
from vanishgrad.questions.learn.tasks import Adding, Copy, Order, Recall, Task
from vanishgrad.weights.model_string import known


class TaskRow(NamedTuple):
    """How a task is made, and what it asks."""

    make: Callable[[], Task]
    about: str


TASKS = {
    "recall": TaskRow(Recall, "the sign of the first input, at the end of noise"),
    "copy": TaskRow(Copy, "ten symbols, said again behind the gap"),
    "adding": TaskRow(Adding, "the sum of two marked numbers"),
    "order": TaskRow(Order, "in which order two symbols came"),
    "language": TaskRow(lambda: _language(""), "I grew up in France … I speak fluent French"),
}


def named_task(argument: str) -> Task:
    """Return the task that an argument names: one of `TASKS`, or a .npz file of one's own.

    Raises
    ------
    UsageError, VanishgradError
        For an unknown task, or a file that is none.
    """
    if argument.endswith(".npz"):
        return OwnData(argument)
    name, _, variant = argument.partition(":")
    known(name, TASKS, "task", argument)
    if name == "language":
        return _language(variant)
    if variant:
        raise UsageError(f"expected no variant of the task {name}, got {argument!r}; try --task {name}")
    return TASKS[name].make()


def _language(variant: str) -> Language:
    words = [word for word in variant.split(",") if word]
    for word in words:
        known(word, (*SENTENCES, "words", "characters"), "variant", f"language:{variant}")
    language = next((word for word in words if word in SENTENCES), next(iter(SENTENCES)))
    return Language(language, by_characters="characters" in words)
