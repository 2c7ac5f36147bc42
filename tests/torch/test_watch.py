"""Training watched: what is logged is what analyze finds, the training is bit for bit the same, the budget is kept."""

from __future__ import annotations

import csv
import json
import math
import sys
from types import SimpleNamespace

import pytest

import vanishgrad
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.questions.watch.budget import Budget
from vanishgrad.questions.watch.loggers import logger

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch==2.13.0")
pytestmark = pytest.mark.torch
nn = torch.nn
STEPS, WIDTH, UNITS = 20, 3, 4


class Net(nn.Module):
    """Two recurrent layers with dropout between and around, which draws from the generator in training."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(WIDTH, UNITS, 2, batch_first=True, dropout=0.3)
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(UNITS, 1))

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        return self.head(self.rnn(xs)[0][:, -1])


def trained(updates: int = 6, **options) -> tuple[Net, list, torch.Tensor]:
    """Return a net after some updates, the records of its watch if it has one, and the generator's state."""
    torch.manual_seed(0)
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    watch = vanishgrad.watch(net, **options) if options else None
    if watch:
        watch.__enter__()
    for _ in range(updates):
        optimizer.zero_grad()
        net(torch.randn(5, STEPS, WIDTH)).pow(2).sum().backward()
        optimizer.step()
    if watch:
        watch.__exit__()
    return net, watch.records if watch else [], torch.get_rng_state()


FREE = {"every": 2, "max_overhead": math.inf}


def test_training_is_bit_for_bit_the_same_and_no_hook_is_left() -> None:
    (plain, _, generator), (watched, records, same) = trained(), trained(**FREE)
    assert records
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), watched.parameters(), strict=True))
    assert torch.equal(generator, same) and watched.training and watched.rnn.training
    assert not any(each._forward_hooks or each._forward_pre_hooks for each in watched.modules())


def test_a_record_is_what_analyze_finds_of_the_module_as_it_is() -> None:
    torch.manual_seed(0)
    net, xs = Net().eval(), torch.randn(5, STEPS, WIDTH)
    watch = vanishgrad.watch(net, batch=xs)
    record = watch.measure()
    report = vanishgrad.analyze(net, input=xs, trials=4, curves=("state", "input"))
    assert list(record["layers"]) == ["rnn.0", "rnn.1"]
    for label, found in record["layers"].items():
        state = report[label].state
        assert (found["horizon_state"], found["horizon_input"]) == (state.horizon, report[label].input.horizon)
        assert found["rate"] == pytest.approx(state.rate.value, rel=1e-9)
        assert found["gate_forget"] == report[label].document.gates["forget"].mean
        assert found["lyapunov"] == pytest.approx(state.rate.value, abs=0.1) and 0 <= found["lost"] < 1


def test_a_failing_measurement_or_log_warns_once_and_training_goes_on() -> None:
    with pytest.warns(UserWarning, match="is not measured: expected a batch") as caught:
        _, records, _ = trained(batch="no batch", **FREE)
    assert len(caught) == 1 and not records

    def fails(record: object) -> None:
        raise OSError("disk full")

    with pytest.warns(UserWarning, match="is not logged: disk full"):
        _, records, _ = trained(log=fails, **FREE)
    assert records


def test_where_no_first_batch_is_seen_the_warning_says_what_to_hand_over() -> None:
    watch = vanishgrad.watch(Net(), every=1, max_overhead=math.inf)
    watch.begin()
    with pytest.warns(UserWarning, match=r"expected to see what the first training step is given.* try batch=BATCH"):
        watch.measure()
    watch.end()


def test_an_interrupt_goes_through_and_leaves_no_hook(monkeypatch) -> None:
    net = Net()

    def interrupted(*of: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vanishgrad.questions.watch.watch.measured", interrupted)
    with pytest.raises(KeyboardInterrupt), vanishgrad.watch(net, every=1, max_overhead=math.inf):
        net(torch.zeros(1, STEPS, WIDTH))
    assert not net._forward_hooks and not net._forward_pre_hooks


def test_a_short_horizon_asks_to_stop() -> None:
    net, xs = Net(), torch.randn(2, 60, WIDTH)
    watch = vanishgrad.watch(net, batch=xs, min_horizon=60)
    with pytest.warns(UserWarning, match="expected a horizon of 60, but rnn.0 reaches"):
        watch.measure()
    assert watch.should_stop


def test_files_have_a_line_for_each_record_or_number(tmp_path) -> None:
    lines, rows = tmp_path / "log.jsonl", tmp_path / "log.csv"
    _, records, _ = trained(log=lines, **FREE)
    assert [json.loads(line)["step"] for line in lines.read_text().splitlines()] == [each["step"] for each in records]
    trained(log=rows, **FREE)
    found = list(csv.DictReader(rows.read_text().splitlines()))
    assert {row["layer"] for row in found} == {"rnn.0", "rnn.1"} and "horizon_state" in {
        row["quantity"] for row in found
    }


RECORD = {"step": 7, "layers": {"rnn[0]": {"factor": 0.5, "horizon_state": 12, "rate": None}}}


def test_loggers_get_names_and_steps_that_they_take() -> None:
    class Writer:
        def __init__(self) -> None:
            self.seen: list[tuple] = []

        def add_scalar(self, *call: object) -> None:
            self.seen.append(call)

    class Metrics:
        def log_metrics(self, metrics: dict, step: int) -> None:
            self.seen = (metrics, step)

    class Run:
        def log(self, values: dict) -> None:
            self.seen = values

    board, flow, wandb = Writer(), Metrics(), Run()
    for target in (board, flow, wandb):
        logger(target)(RECORD)
    assert board.seen == [("vanishgrad/rnn[0]/factor", 0.5, 7), ("vanishgrad/rnn[0]/horizon_state", 12.0, 7)]
    assert flow.seen == ({"vanishgrad/rnn_0_/factor": 0.5, "vanishgrad/rnn_0_/horizon_state": 12.0}, 7)
    assert wandb.seen["vanishgrad/step"] == 7


def test_tensorboard_reads_back_what_was_written(tmp_path) -> None:
    pytest.importorskip("tensorboard", reason="needs tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(tmp_path) as writer:
        logger(writer)(RECORD)
    events = EventAccumulator(str(tmp_path), size_guidance={"scalars": 0}).Reload()
    assert [(each.step, each.value) for each in events.Scalars("vanishgrad/rnn[0]/factor")] == [(7, 0.5)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "for every"),
        ({"max_overhead": 0}, "max_overhead above 0"),
        ({"log": "log.txt"}, "ending .csv or .jsonl"),
        ({"log": 3}, "a writer or a callable"),
        ({"log": "none/log.csv"}, "expected an existing folder"),
    ],
)
def test_what_cannot_be_is_refused_before_training(options: dict, message: str) -> None:
    with pytest.raises(VanishgradError, match=message):
        vanishgrad.watch(Net(), **options)
    with pytest.raises(UsageError, match=r"expected a torch\.nn\.Module or a keras\.Model to watch"):
        vanishgrad.watch("lstm")


def test_the_budget_is_kept_by_fewer_trials_then_fewer_steps_then_fewer_measurements() -> None:
    """Measurements of 20 ms and 1 ms a step, one asked for after every 100 training steps of 100 ms each."""
    sizes: dict[float, list] = {}
    for share in (0.1, 0.01, 0.001):
        budget = Budget(share, most_trials=4)
        budget.guess(steps=100, weights=4 * 10**5)
        sizes[share] = []
        for _ in range(50):
            budget.trained += 10.0
            if size := budget.size(longest=100):
                sizes[share].append(size)
                budget.charge(0.02, 0.001 * size[0] * size[1], *size)
            assert budget.overhead <= share  # the first one too
    assert (4, 100) in sizes[0.1]  # 0.42 s fit into half a second
    assert {trials for trials, _ in sizes[0.01]} == {1} and 16 < max(steps for _, steps in sizes[0.01]) < 100
    assert 1 <= len(sizes[0.001]) < 20 and all(trials == 1 for trials, _ in sizes[0.001])


def test_after_a_horizon_beyond_the_run_the_next_one_has_twice_the_steps() -> None:
    budget = Budget(0.01, most_trials=4, trained=10.0, unit=0.001, fixed=0.0)
    assert budget.size(100) == (1, 50)
    budget.grow(50, longest=80)
    assert budget.least == 80 and budget.size(80) is None


def test_nothing_is_measured_beyond_the_budget_and_that_is_said() -> None:
    with pytest.warns(UserWarning, match=r"no measurement fits into 1e-09 of .* max_overhead"):
        _, records, _ = trained(updates=3, every=1, max_overhead=1e-9)
    assert not records


def test_a_module_within_that_training_calls_is_measured_itself() -> None:
    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = Net()

    outer = Outer()
    watch = vanishgrad.watch(outer, every=1, max_overhead=math.inf)
    watch.begin()
    outer.net(torch.randn(2, STEPS, WIDTH)).sum().backward()
    watch.after_step(7)
    watch.end()
    assert [each["step"] for each in watch.records] == [7] and list(watch.records[0]["layers"]) == ["rnn.0", "rnn.1"]
    assert not any(each._forward_hooks or each._forward_pre_hooks for each in outer.modules())


def test_pictures_stand_beside_a_file_and_in_tensorboard_and_wandb(tmp_path, monkeypatch) -> None:
    seen = []

    class Board:
        def add_scalar(self, *call: object) -> None: ...

        def add_figure(self, *call: object) -> None:
            seen.append(call)

    class Run:  # of W&B
        def log(self, values: dict) -> None:
            seen.extend(
                (name, value, values["vanishgrad/step"])
                for name, value in values.items()
                if name == "vanishgrad/horizon"
            )

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(Image=lambda image: image.size))
    _, records, _ = trained(log=[tmp_path / "log.jsonl", Board(), Run()], figure_every=2, **FREE)
    assert (tmp_path / "log.png").read_bytes().startswith(b"\x89PNG")
    assert [(name, step) for name, _, step in seen] == [("vanishgrad/horizon", step) for step in (4, 4, 6, 6)]
    assert len(vanishgrad.track(tmp_path / "log.jsonl").layers[0].points) == len(records) == 3
    with pytest.raises(UsageError, match="expected a log that takes pictures"):
        vanishgrad.watch(Net(), log=print, figure_every=1)
