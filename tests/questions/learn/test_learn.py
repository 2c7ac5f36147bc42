"""Training: independent of processes, resumed as if it had gone on, and what diverges is said."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pytest
from click.testing import CliRunner

import vanishgrad
from tests.questions.learn.small import SMALL, learned, settings
from vanishgrad.cli.plot import plot
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.questions.learn.figure import KINDS
from vanishgrad.questions.learn.findings import edge_of, horizon_order, learning
from vanishgrad.questions.learn.plan import Plan
from vanishgrad.questions.learn.report import to_csv, to_markdown, to_table
from vanishgrad.questions.learn.resume import finished_trainings
from vanishgrad.questions.learn.run import demand_learnable, learn, median, trained, trained_together


def test_the_report_is_the_same_for_any_number_of_processes():
    assert learned(jobs=1).to_json() == learned(jobs=2).to_json()


def test_a_resumed_run_is_the_same_as_one_that_was_not_interrupted(tmp_path):
    plan, whole = Plan(settings(), {}), learned()
    trainings = learn(plan, lambda text: None, 1)
    some = [next(trainings) for _ in range(3)]
    partial = learning(plan.settings, {each.key: each.result for each in some})
    assert not partial.complete and whole.complete
    path = tmp_path / "partial.json"
    path.write_text(partial.to_json())
    finished = dict(finished_trainings(str(path), plan.settings))
    assert set(finished) == {each.key for each in some}
    rest = {each.key: each.result for each in learn(Plan(plan.settings, finished), lambda text: None, 1)}
    assert learning(plan.settings, finished | rest).to_json() == whole.to_json()


def test_a_resumed_run_has_to_have_the_same_options(tmp_path):
    path = tmp_path / "report.json"
    path.write_text(learned(updates=2, snapshots=False).to_json())
    with pytest.raises(UsageError, match=r"got lr 0\.5 for 0\.03"):
        dict(finished_trainings(str(path), settings(updates=2, lr=0.5)))


def test_a_short_gap_is_learned_and_a_report_says_when():
    document = learned(models=("rnn@orthogonal",), gaps=(3,), updates=200, batch=32)
    (gap,) = document.models[0].gaps
    assert gap.solved == 2 and document.models[0].edge == 3 and document.models[0].edge_censored
    assert all(5 <= each <= 200 for each in gap.updates)
    assert gap.loss[0][-1] is None or gap.loss[0][-1] < gap.baseline


def test_a_seed_that_diverges_is_named_and_the_others_go_on():
    with np.errstate(all="ignore"):
        document = learned(
            models=("rnn@gaussian:activation=linear,gain=30",), gaps=(40,), updates=8, clip=None, lr=1e30,
            optimizer="sgd", dtype="float32",
        )  # fmt: skip
    (gap,) = document.models[0].gaps
    assert {each.seed for each in gap.diverged} == {0, 1}
    assert "is not finite at update" in " ".join(to_table(document).split())


def test_weights_of_1e30_end_no_training():
    document = learned(models=("lstm",), gaps=(4,), updates=5, clip=None, lr=1e30, optimizer="sgd")
    (gap,) = document.models[0].gaps
    assert gap.updates == [None, None] and gap.snapshots[0].update == 0
    assert to_table(document)


def test_other_seeds_are_trained_the_same_beside_one_that_stops():
    alone, both = (learned(models=("gru",), gaps=(4,), seeds=seeds, updates=60, batch=32) for seeds in (1, 2))
    assert alone.models[0].gaps[0].updates[0] == both.models[0].gaps[0].updates[0]


@pytest.mark.parametrize("task", ["recall", "copy", "language"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_models_of_equal_shape_side_by_side_are_those_that_are_trained_alone(task, dtype):
    labels = ("lstm", "lstm@chrono", "lstm:forget_bias=3")
    plan = Plan(
        settings(models=labels, gaps=(6,), task=task, dtype=dtype, updates=15, batch=16, lr=0.1), {}, saves=True
    )
    together = trained_together(plan, [(label, 6) for label in labels])
    for each, alone in zip(together, [trained(plan, (label, 6)) for label in labels], strict=True):
        assert each.result.to_dict() == alone.result.to_dict()
        assert each.checkpoints == alone.checkpoints


def test_what_is_trained_side_by_side_has_one_shape():
    labels = ("lstm", "rnn", "lstm@chrono", "gru", "rnn:activation=relu", "rnn@orthogonal", "gru:reset=before")
    plan = Plan(settings(models=labels, gaps=(3, 4, 5)), {})
    groups = plan.groups(1)
    assert sorted(key for group in groups for key in group) == sorted(plan.keys())
    assert {tuple(label for label, _ in group) for group in groups} == {
        ("rnn", "rnn@orthogonal"), ("rnn:activation=relu",), ("lstm", "lstm@chrono"), ("gru",), ("gru:reset=before",),
    }  # fmt: skip
    assert all(len(group) == 1 for group in plan.groups(jobs=8))


def test_snapshots_have_the_share_of_the_key():
    gap = learned().models[0].gaps[0]
    assert [each.update for each in gap.snapshots][:2] == [0, 1]
    assert all(share is not None and share > 0 for each in gap.snapshots for share in each.key_share)


def test_every_format_has_every_model_and_gap():
    document = learned(snapshots=False)
    for text in (to_table(document), to_markdown(document), to_csv(document)):
        assert "rnn@orthogonal" in text and "gru" in text
    assert len(to_csv(document).splitlines()) == 1 + 2 * 2 * 2
    assert json.loads(document.to_json())["request"]["gaps"] == [3, 6]


def test_the_median_counts_never_as_infinite():
    assert median([3, 5, None]) == 5
    assert median([3, None]) is None


def test_the_edge_is_the_last_gap_before_the_first_that_was_not_solved():
    assert edge_of([(10, True), (20, True), (40, False), (80, True)]) == (20, False)
    assert edge_of([(10, False)]) == (0, False)
    assert edge_of([(10, True)]) == (10, True)


def test_horizons_that_order_the_edges_have_rank_correlation_one():
    models = learned(snapshots=False).models
    assert horizon_order(models[:1]).rank_correlation is None
    order = horizon_order(models)
    assert order.pairs == 4
    assert order.rank_correlation is None or -1 <= order.rank_correlation <= 1


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"models": ("rnn:untied=true",)}, "weights serve every step"),
        ({"models": ("./file.npz",)}, "drawn anew"),
        ({"task": "order", "gaps": (3,)}, "expected gaps from 10 on"),
        ({"gaps": (10**11,)}, r"expected memory for 5\.63e\+05 GB of trajectories"),
    ],
)
def test_what_cannot_be_trained_is_refused_beforehand(changed, says):
    with pytest.raises(VanishgradError, match=says):
        demand_learnable(settings(**changed))


@pytest.mark.parametrize(
    "changed",
    [{"lr": 0.0}, {"clip": -1.0}, {"lr": math.nan}, {"seeds": 0}, {"gaps": (3, 3)}, {"models": ("gru", "gru")}],
)
def test_settings_that_cannot_be_are_refused(changed):
    with pytest.raises(UsageError, match="expected"):
        settings(**changed)


def test_saved_weights_have_the_read_out_and_are_explained(tmp_path):
    plan = Plan(settings(models=("gru",), gaps=(3,)), {}, saves=True)
    (finished,) = learn(plan, lambda text: None, 1)
    names = [name for name, _ in finished.checkpoints]
    assert names[::2] == [f"gru.gap3.update{update:05d}.0.npz" for update in (0, 1, 2, 5, 10, 12)]
    path = tmp_path / names[-1]
    path.write_bytes(finished.checkpoints[-1][1])
    with np.load(path) as tensors:
        h, W, b = np.ones(6), tensors["read_out.weight"], tensors["read_out.bias"]
    assert (W @ h + b).shape == (1,)
    (model,) = vanishgrad.analyze(path, steps=4).typed.models
    assert model.cell == "gru" and model.hidden_size == 6


def test_the_gap_before_the_first_update_is_the_models_own_draw():
    (finished,) = learn(Plan(settings(models=("gru",), gaps=(3,)), {}, saves=True), lambda text: None, 1)
    with np.load(io.BytesIO(finished.checkpoints[0][1])) as tensors:
        np.testing.assert_array_equal(
            tensors["weight_hh_l0"], vanishgrad.random_cell("gru", hidden=6, input_size=2).W_hh[0]
        )


def test_pythons_learn_is_the_command_lines(tmp_path):
    options = {name: value for name, value in SMALL.items() if name != "models"}
    report = vanishgrad.learn(SMALL["models"], **options)
    assert report.to_json() == learned().to_json()
    report.plot(str(tmp_path / "map.svg"))
    assert (tmp_path / "map.svg").read_bytes().startswith(b"<?xml")
    with pytest.raises(UsageError, match="got 'gap'; try gaps"):
        vanishgrad.learn("gru", gap=3)


def test_plot_draws_a_report_of_learn_and_refuses_another_kind_of_picture(tmp_path):
    report, runner = tmp_path / "learn.json", CliRunner()
    report.write_text(learned(snapshots=False, updates=2).to_json())
    for kind in KINDS:
        path = tmp_path / f"{kind}.pdf"
        result = runner.invoke(plot, [str(report), "--kind", kind, "--output", str(path)])
        assert result.exit_code == 0 and path.read_bytes().startswith(b"%PDF")
    refused = runner.invoke(plot, [str(report), "--kind", "gates", "--output", str(tmp_path / "gates.pdf")])
    assert "expected a picture out of learnability" in str(refused.exception)
    assert not (tmp_path / "gates.pdf").exists()


def test_no_heading_of_a_wide_table_is_cut():
    gaps = tuple(range(1000, 1024))
    table = to_table(learning(settings(gaps=gaps), {}))
    assert {"model", "state", "input", "edge/state", *map(str, gaps)} <= set(table.split())
