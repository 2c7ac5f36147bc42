"""Tables as data: columns by name, cells as numbers; the words come from a language's labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from vanishgrad.cells.registry import LSTM
from vanishgrad.formal_answer.claims import BoundValue, Claim, Log
from vanishgrad.formal_answer.quantities import scalars
from vanishgrad.formal_answer.quantities.attention import example
from vanishgrad.formal_answer.quantities.learned import learning_rows
from vanishgrad.formal_answer.study import Studied

Cell: TypeAlias = "str | float | Log | BoundValue | bool | None"
"""A model's label, a number, whether a theorem speaks, or nothing."""

LENGTHS = (10, 100, 1000)
BIASES = (0.0, 1.0, 2.0, 5.0)
CLAIM_TABLES = ("T1", "T1b", "T2", "T5b", "T5b1", "T5b2", "T5c", "T5d", "T6lower", "T6upper", "T6steps", "T7a", "T7c")
FACT_TABLES = ("T0", "four_gradients", "T4", "T5loss", "T11lstm", "T11rnn", "T12", "T13")
SIDES: Mapping[str, Literal["lower", "upper"]] = {
    "worst_case_at_least": "lower", "rho_minus": "lower", "additive_floor": "lower", "floor": "lower",
    "alpha_floor": "lower", "rho_plus": "upper", "needed_bias": "upper", "allowed": "upper",
    "gamma_scaled_norm": "upper",
}  # fmt: skip
"""Columns that hold bounds beside those of the claims."""


@dataclass(frozen=True)
class Table:
    """Columns by name, and rows of cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def claim_tables(claims: Sequence[Claim]) -> dict[str, Table]:
    """Return a table for each statement: hypotheses and facts, whether it speaks, bound, measured value, slack."""
    return {version: _claims([each for each in claims if each.version == version]) for version in CLAIM_TABLES}


def _claims(claims: Sequence[Claim]) -> Table:
    names = _in_order(name for claim in claims for name in (*claim.facts, *(each.name for each in claim.hypotheses)))
    hypothetical = any(claim.hypotheses for claim in claims)
    verdict = ("speaks",) if hypothetical else ()
    ends = ("bound", f"measured_{claims[0].quantity}" if claims else "measured", "slack")
    return Table(("model", *names, *verdict, *ends), tuple(_claim_row(claim, names, hypothetical) for claim in claims))


def _claim_row(claim: Claim, names: Sequence[str], hypothetical: bool) -> tuple[Cell, ...]:
    values = {**claim.facts, **{each.name: each.value for each in claim.hypotheses}}
    verdict = (claim.speaks,) if hypothetical else ()
    in_nats = claim.quantity == "exponent_sum"
    bound: Cell = None
    if claim.speaks and claim.log_bound is not None:
        bound = (BoundValue if in_nats else Log)(claim.log_bound, claim.side)
    measured = claim.log_measured if in_nats else Log(claim.log_measured)
    slack = None if claim.log_slack is None else Log(claim.log_slack).log10
    return (claim.model, *(_sided(name, values.get(name)) for name in names), *verdict, bound, measured, slack)


def _sided(column: str, value: float | Log | None) -> Cell:
    """Return a cell, marked as a bound where its column holds bounds."""
    if column not in SIDES or value is None:
        return value
    return replace(value, side=SIDES[column]) if isinstance(value, Log) else BoundValue(value, SIDES[column])


def model_tables(models: Sequence[Studied]) -> dict[str, Table]:
    """Return the tables of what is measured without a bound, and the whole at a glance."""
    return {
        "models": Table(
            ("model", "spec", "n", "d", "T"), tuple((m.label, m.spec, *map(float, m.sizes.values())) for m in models)
        ),
        **{name: _facts([(m.label, row) for m in models for row in m.facts.get(name, ())]) for name in FACT_TABLES},
        "summary": Table(
            ("model", "lower_by", "lower", "measured_memory", "upper", "upper_by"),
            tuple(row for model in models for row in [_summary(model)]),
        ),
    }


def _facts(rows: Sequence[tuple[str, Mapping[str, float | Log]]]) -> Table:
    names = _in_order(name for _, facts in rows for name in facts)
    return Table(("model", *names), tuple((label, *(facts.get(name) for name in names)) for label, facts in rows))


def _summary(model: Studied) -> tuple[Cell, ...]:
    """Return the best proved bounds of ‖∂c_T/∂c_0‖, for cells without c of ‖∂h_T/∂h_0‖, and whose they are."""
    speaking = [
        claim
        for claim in model.claims
        if claim.speaks and claim.quantity in ("state", "memory", "memory_smallest", "state_smallest")
    ]
    lower = [c for c in speaking if c.side == "lower" and not (model.kind == LSTM.name and c.quantity == "state")]
    upper = [c for c in speaking if c.side == "upper"]
    below = max(lower, key=lambda c: c.log_bound or 0.0, default=None)
    above = min(upper, key=lambda c: c.log_bound or 0.0, default=None)
    return (model.label, *_end(below), Log(float(model.curves["memory"][-1])), *reversed(_end(above)))


def _end(claim: Claim | None) -> tuple[Cell, Cell]:
    if claim is None or claim.log_bound is None:
        return None, None
    return f"@{claim.version}", Log(claim.log_bound, claim.side)


def example_tables(steps: int) -> dict[str, Table]:
    """Return the tables of the worked examples."""
    lengths = sorted({*LENGTHS, steps})
    return {
        "latch": _examples(scalars.latch()),
        "forget_bias": _examples([scalars.forget_bias(b, steps) for b in BIASES]),
        "chrono": _examples([scalars.chrono(length) for length in lengths]),
        "keys": _examples([scalars.write_hold_read(length) for length in lengths]),
        "attention": _examples([*(example(length) for length in lengths), example(max(LENGTHS[:2]), key_scale=1.0)]),
    }


def learning_tables() -> dict[str, Table]:
    """Return the tables of what networks learned."""
    return {
        name: Table(tuple(table["columns"]), tuple(map(tuple, table["rows"])))
        for name, table in learning_rows().items()
    }


def _examples(rows: Sequence[Mapping[str, float]]) -> Table:
    return Table(tuple(rows[0]), tuple(tuple(_sided(name, value) for name, value in row.items()) for row in rows))


def _in_order(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
