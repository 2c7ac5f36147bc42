"""The rules of a diagnosis: each finds one cause why a gradient vanishes or explodes, with the numbers that show it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import RNN
from vanishgrad.languages import english
from vanishgrad.propagation.singular_values.largest import largest_singular_value
from vanishgrad.questions.explain.findings.context import MAX_NATS, DiagnosisContext, nats

FLAT_SLOPE = 0.1
"""Of the largest slope of an activation, below which a unit is saturated."""
MAX_FLAT_SHARE = 0.1
"""Of the units, above which flat slopes are a finding where they are met once, at the read-out."""
MIN_DEAD_SHARE = 0.05
"""Of the relu units, from which those that are off at every step are a finding."""
OPEN_INPUT_RATIO = 10.0
"""Of i to 1 - f, which T8's matched gates have equal, above which input gates stand too far open."""
SHUT_RESET_GATE = 0.1
"""Mean below which reset gates are shut."""
SKIP_ADVICE = english("shorter lags, or a skip connection over them")
CLIP_ADVICE = english("clip the norm of the gradient in training")


@dataclass(frozen=True)
class Finding:
    """What one rule has found.

    Attributes
    ----------
    rule : str
        The rule's name.
    title : str
        Half a sentence that says it.
    severity : float
        Nats per step that it costs (or, where the gradient grows, adds); what is paid once is divided by T.
    evidence : mapping
        Name → number.
    remedies : tuple of str
        Names of changes to the weights that may help.
    advice : tuple of str
        What helps without changing them, without a number.
    """

    rule: str
    title: str
    severity: float
    evidence: Mapping[str, float]
    remedies: tuple[str, ...]
    advice: tuple[str, ...] = ()


def expanding_detours(facts: DiagnosisContext) -> Finding | None:
    """Return a finding where the state's median norm is above 1/threshold at some lag, or grows fast enough for it."""
    state = facts.curves["state"]
    largest = float(state.log_norm.median[: state.final_lag + 1].max())
    rate = state.rate.value if state.rate else 0.0
    if max(largest, rate * facts.steps) <= -math.log(facts.threshold):
        return None
    evidence = {"log10_largest": largest / math.log(10)}
    if math.isfinite(factor := state.rate.factor if state.rate else 1.0):
        evidence["factor_per_step"] = factor
    conveyor, log10 = facts.curves.get("conveyor"), f"{largest / math.log(10):.1f}"
    title = english("W expands: the gradient reaches 10^{log10}", log10=log10)
    if conveyor is not None and conveyor.final_lag:
        lost = float(conveyor.log_norm.median[conveyor.final_lag]) / conveyor.final_lag
        evidence["conveyor_factor_per_step"] = float(np.exp(lost))
        title = english(
            "detours through the gates expand: the gradient reaches 10^{log10}, where the conveyor alone has "
            "{factor} a step",
            log10=log10, factor=f"{np.exp(lost):.2f}",
        )  # fmt: skip
    return Finding(
        rule="expanding_detours",
        title=title,
        severity=max(rate, largest / facts.steps),
        evidence=evidence,
        remedies=("scaled",),
        advice=(CLIP_ADVICE,),
    )


def keeping_gates_below_one(facts: DiagnosisContext) -> Finding | None:
    """Return a finding where the gradient vanishes and even the best unit's ∏ f_t is below the threshold at lag T."""
    keep, conveyor = facts.cell.keep_gate, facts.curves.get("conveyor")
    if keep is None or conveyor is None or not facts.vanishes:
        return None
    lost = min(-float(conveyor.log_norm.median[conveyor.final_lag]) / conveyor.final_lag, MAX_NATS)
    if lost <= facts.allowance:
        return None
    values = facts.gates[keep.word]
    with np.errstate(divide="ignore"):
        times = -1 / np.log(np.clip(values.mean(axis=0), 0, 1))
    mean, bias = float(values.mean()), keep.sign * float(facts.cell.b[..., facts.cell.rows(keep.letter)].mean())
    return Finding(
        rule=f"{keep.word}_gates",
        title=english(
            "{gate} gates are centred at {mean}, their bias at {bias}: no unit keeps {threshold} over {steps} steps",
            gate=keep.word,
            mean=f"{mean:.2f}",
            bias=f"{round(bias, 2) + 0.0:.2f}",
            threshold=f"{facts.threshold:g}",
            steps=facts.steps,
        ),
        severity=lost,
        evidence={
            "mean": mean,
            "mean_bias": bias,
            "median_time_constant": float(np.median(times)),
            "longest_time_constant": float(times.max()),
            "best_factor_per_step": float(np.exp(-lost)),
        },
        remedies=("forget_bias", "chrono"),
        advice=(SKIP_ADVICE,),
    )


def contractive_weights(facts: DiagnosisContext) -> Finding | None:
    """Return a finding where the gradient vanishes and so does the linear network's, (γρ(W))^T; largest over trials."""
    cell = facts.cell
    if not isinstance(cell, RNN) or cell.W_hh.ndim > 3 or not facts.vanishes:
        return None
    gamma = cell.activation.gamma
    radius = gamma * float(np.abs(np.linalg.eigvals(cell.W_hh)).max())
    norm = gamma * float(largest_singular_value(cell.W_hh).max())
    lost = -math.log(radius) if radius > 0 else MAX_NATS
    if lost <= facts.allowance:
        return None
    return Finding(
        rule="contractive_weights",
        title=english(
            "W contracts: γρ(W) = {radius} is a step's factor without saturation; γ‖W‖₂ = {norm} {proof}",
            radius=f"{radius:.2f}",
            norm=f"{norm:.2f}",
            proof=english("proves it for every input") if norm < 1 else english("proves nothing"),
        ),
        severity=lost,
        evidence={"gamma_radius": radius, "gamma_norm": norm},
        remedies=("scaled", "orthogonal"),
        advice=(SKIP_ADVICE,),
    )


def saturated_units(facts: DiagnosisContext) -> Finding | None:
    """Return a finding where slopes cost a cell without gates too much at every step, or once, as c is read."""
    cell = facts.cell
    if cell.gate_activation is None:
        return _at_every_step(facts, facts.slopes()) if facts.vanishes else None
    if cell.read_out is None:
        return None
    c = facts.trajectory.states[-facts.steps :, :, cell.slices[cell.conveyed]]
    return _once(facts, cell.read_out.dphi(c) / cell.read_out.gamma)


def _at_every_step(facts: DiagnosisContext, slopes: Array) -> Finding | None:
    lost = nats(slopes)
    if lost <= facts.allowance:
        return None
    evidence = {**_evidence(slopes), "factor_per_step": math.exp(-lost)}
    phi = facts.cell.activation.name
    flat = english("off") if phi == "relu" else english("flat")
    return Finding(
        rule="saturated_units",
        title=english(
            "units leave the linear part of {activation}: a step loses a factor {factor} by its slopes, of which "
            "{share} % "
            "are {flat}",
            activation=phi,
            factor=f"{math.exp(-lost):.2f}",
            share=f"{100 * evidence['flat_share']:.0f}",
            flat=flat,
        ),
        severity=lost,
        evidence=evidence,
        remedies=("scaled", "smaller_inputs"),
        advice=(SKIP_ADVICE,),
    )


def _once(facts: DiagnosisContext, slopes: Array) -> Finding | None:
    evidence = _evidence(slopes)
    if evidence["flat_share"] <= MAX_FLAT_SHARE:
        return None
    return Finding(
        rule="saturated_units",
        title=english(
            "{share} % of the cells are where the read-out is flat: what a loss on h sends back to them is lost at "
            "once",
            share=f"{100 * evidence['flat_share']:.0f}",
        ),
        severity=nats(slopes) / facts.steps,
        evidence=evidence,
        remedies=("closed_input_gates",),
    )


def _evidence(slopes: Array) -> dict[str, float]:
    return {"mean_slope": float(slopes.mean()), "flat_share": float(np.mean(slopes < FLAT_SLOPE))}


def dead_units(facts: DiagnosisContext) -> Array:
    """Return which units have the slope 0 at every step, (B, n); with shared weights, in all sequences."""
    off: Array = np.all(facts.slopes() == 0, axis=0)
    return off if facts.cell.trials > 1 else np.all(off, axis=0, keepdims=True)


def dead_relus(facts: DiagnosisContext) -> Finding | None:
    """Return a finding where relu units, or a gated cell's relu candidates, are off throughout."""
    if facts.cell.activation.name != "relu":
        return None
    share = float(dead_units(facts).mean())
    if share < MIN_DEAD_SHARE:
        return None
    slopes = facts.slopes()
    severity = nats(slopes) if facts.cell.gate_activation is None else nats(slopes) / facts.steps
    return Finding(
        rule="dead_relus",
        title=english("{share} % of the relu units are off at every step", share=f"{100 * share:.0f}"),
        severity=severity,
        evidence={"dead_share": share, "active_share": float((slopes > 0).mean())},
        remedies=("raised_biases",),
    )


def open_input_gates(facts: DiagnosisContext) -> Finding | None:
    """Return a finding where units with 1/(1 - f) ≥ T, f and i their mean gates, have i far above 1 - f."""
    cell, keep = facts.cell, facts.cell.keep_gate
    if keep is None or cell.row.write is None or cell.read_out is None:
        return None
    f, i = facts.gates[keep.word].mean(axis=0), facts.gate_of(cell.row.write).mean(axis=0)
    remembering = 1 - f <= 1 / facts.steps
    if not remembering.any():
        return None
    opening, matched = float(i[remembering].mean()), float((1 - f)[remembering].mean())
    if opening <= OPEN_INPUT_RATIO * max(matched, 1 / facts.steps):
        return None
    c, read_out = facts.trajectory.states[-1][:, cell.slices[cell.conveyed]][remembering], cell.read_out
    return Finding(
        rule="open_input_gates",
        title=english(
            "units that remember {steps} steps have their input gates open at {open}, where 1 - f is {leak}: every "
            "step "
            "writes over what they keep",
            steps=facts.steps,
            open=f"{opening:.2f}",
            leak=f"{matched:.2g}",
        ),
        severity=nats(read_out.dphi(c) / read_out.gamma) / facts.steps,
        evidence={
            "remembering_share": float(remembering.mean()),
            "mean_input_gate": opening,
            "mean_leak": matched,
            "rms_cell": float(np.sqrt(np.mean(np.square(c)))),
        },
        remedies=("closed_input_gates", "chrono"),
    )


def shut_reset_gates(facts: DiagnosisContext) -> Finding | None:
    """Return a finding where the reset gates average below `SHUT_RESET_GATE`: the path through the candidate is cut."""
    if facts.cell.row.reset is None:
        return None
    r = facts.gate_of(facts.cell.row.reset)
    mean = float(r.mean())
    if mean >= SHUT_RESET_GATE:
        return None
    return Finding(
        rule="shut_reset_gates",
        title=english(
            "reset gates are shut (mean {mean}): the candidate does not see the state, only keep gates carry it",
            mean=f"{mean:.3f}",
        ),
        severity=-math.log(max(mean, np.finfo(float).tiny)) / facts.steps,
        evidence={"mean": mean, "shut_share": float(np.mean(r < SHUT_RESET_GATE))},
        remedies=("opened_reset_gates",),
    )


RULES: tuple[Callable[[DiagnosisContext], Finding | None], ...] = (
    expanding_detours, keeping_gates_below_one, contractive_weights, saturated_units, dead_relus, open_input_gates,
    shut_reset_gates,
)  # fmt: skip
