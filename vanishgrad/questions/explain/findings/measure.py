"""Diagnosis: the findings of all rules, the costliest first, and every remedy re-computed on the changed weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from vanishgrad.cells import Cell
from vanishgrad.cells.stack import Stack
from vanishgrad.curves.curve import Curve, curve
from vanishgrad.curves.measure import measure
from vanishgrad.curves.request import SUMMARY
from vanishgrad.errors import VanishgradError
from vanishgrad.propagation.run import run
from vanishgrad.questions.explain.findings.context import DiagnosisContext
from vanishgrad.questions.explain.findings.remedies import REMEDIES, Change
from vanishgrad.questions.explain.findings.rules import RULES, Finding
from vanishgrad.questions.explain.run import Run
from vanishgrad.questions.explain.section import MASKED, NO_GATES, Absent


@dataclass(frozen=True)
class Reach:
    """How far a gradient reaches: medians over trials, norms as natural logarithms at the last lag."""

    horizon: int | None
    censored: bool
    factor: float | None
    log_norm: float
    log_input: float
    verdict: str

    @property
    def distance(self) -> float:
        """|ln ‖∂s_T/∂s_0‖| + |ln ‖∂h_T/∂x_1‖|: how far both are from being carried as they are."""
        return abs(self.log_norm) + abs(self.log_input)


@dataclass(frozen=True, eq=False)
class Remedy:
    """A change to the weights with its effect.

    Attributes
    ----------
    name, change : str
        The key by which it is applied, and what it does.
    before, after : Reach
        Measured along the same inputs; `after` is None where a state overflows.
    cell : Cell
        The changed weights.
    """

    name: str
    change: str
    before: Reach
    after: Reach | None
    cell: Cell = field(repr=False)


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What was found, costliest first, and what each remedy that a finding names would do, best first.

    `below` are the layers that drive the one in question, bottom first, where they are known as a stack.
    """

    findings: tuple[Finding, ...]
    remedies: Mapping[str, Remedy]
    below: tuple[Cell, ...] = ()

    @property
    def best(self) -> Remedy | None:
        """The remedy that comes nearest to carrying state and input over T steps, if it comes nearer than without."""
        first = next(iter(self.remedies.values()), None)
        return first if first and first.after and first.after.distance < first.before.distance else None


def findings(run: Run) -> Diagnosis | Absent:
    """Return what the rules find in a run, and what would change it."""
    if run.sequences.masked_steps:
        return Absent(MASKED)
    if not run.cell.has_weights:
        return Absent(NO_GATES)
    request = run.request
    facts = DiagnosisContext(
        run.cell, run.trajectory, run.sequences, run.measured.curves, request.threshold, request.seed
    )
    below = run.stack.cell.layers[:-1] if run.stack is not None and isinstance(run.stack.cell, Stack) else ()
    return replace(diagnosis(facts, request.engine), below=below)


def diagnosis(facts: DiagnosisContext, engine: str = "auto") -> Diagnosis:
    """Return what the rules find and what the remedies bring, each measured along the same inputs.

    Notes
    -----
    One sweep of the state for each remedy, with the input at the last lag; a dozen of one trial for the neutral gain.
    """
    causes = [finding for rule in RULES if (finding := rule(facts)) is not None]
    causes.sort(key=lambda finding: -finding.severity)
    names = dict.fromkeys(name for finding in causes for name in finding.remedies)
    before = reach(facts.curves)
    changes = {name: REMEDIES[name](facts) for name in names}
    remedies = [_remedy(name, change, facts, before, engine) for name, change in changes.items()]
    remedies.sort(key=lambda remedy: remedy.after.distance if remedy.after else math.inf)
    return Diagnosis(tuple(causes), {remedy.name: remedy for remedy in remedies})


def reach(curves: Mapping[str, Curve]) -> Reach:
    """Return how far a gradient reaches by its curves."""
    state, input_curve = curves["state"], curves["input"]
    return Reach(
        horizon=state.horizon.lag,
        censored=state.horizon.censored,
        factor=state.rate.factor if state.rate else None,
        log_norm=float(state.log_norm.median[state.final_lag]),
        log_input=float(input_curve.log_norm.median[input_curve.final_lag]),
        verdict=state.verdict.value,
    )


def _remedy(name: str, change: Change, facts: DiagnosisContext, before: Reach, engine: str) -> Remedy:
    try:
        after = reach(_measured(change.cell, facts, engine))
    except VanishgradError:
        after = None
    return Remedy(name, change.words, before, after, change.cell)


def _measured(cell: Cell, facts: DiagnosisContext, engine: str) -> dict[str, Curve]:
    sequences = facts.sequences
    trajectory = run(cell, sequences.xs, facts.trajectory.states[0], sequences.marks)
    measurement = measure(cell, trajectory, sequences.lengths, None, facts.threshold, SUMMARY, engine)
    return {
        name: curve(norms.log_norm, norms.log_rms, norms.alive, facts.threshold)
        for name, norms in measurement.curves.items()
    }
