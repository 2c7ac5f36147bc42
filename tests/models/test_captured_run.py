"""A captured run is one file: every command reads from it what a batch gave each layer."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vanishgrad
from vanishgrad.cli import main
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.models.captured_run import CapturedCall, CapturedRun
from vanishgrad.models.open import open_models
from vanishgrad.models.options import ModelOptions

N, WIDTH, BATCH, STEPS = 4, 3, 3, 9
LENGTHS = np.array([5, STEPS, 7])


def weights(gates: int, width: int = WIDTH, suffix: str = "_l0") -> dict[str, np.ndarray]:
    rng = np.random.default_rng(gates)
    shapes = {
        "weight_ih": (gates * N, width),
        "weight_hh": (gates * N, N),
        "bias_ih": (gates * N,),
        "bias_hh": (gates * N,),
    }
    return {name + suffix: 0.5 * rng.standard_normal(shape) for name, shape in shapes.items()}


def a_run(**changes) -> CapturedRun:
    rng = np.random.default_rng(0)
    lstm = CapturedCall(
        weights(4), {}, rng.standard_normal((BATCH, STEPS, WIDTH)), LENGTHS, rng.standard_normal((1, BATCH, 2 * N))
    )
    relu = CapturedCall(
        weights(1), {"activation": "relu"}, lstm.xs, np.full(BATCH, STEPS), np.zeros((1, BATCH, N))
    )  # fmt: skip
    tokens = tuple("abcde")
    return CapturedRun({"encoder": replace(lstm, **changes), "captured#2": relu}, tokens=tokens)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "run.npz"
    path.write_bytes(a_run().content())
    return str(path)


def numbers(report) -> list[dict]:
    return [{**model, "source": {**model["source"], "path": ""}} for model in report.document["models"]]


@pytest.mark.parametrize("command", [vanishgrad.analyze, vanishgrad.explain, vanishgrad.compare])
def test_the_file_gives_the_numbers_of_the_run_to_the_last_bit(file: str, command) -> None:
    run = a_run()
    here, there = (command(each, layer="encoder") for each in (run, file))
    assert json.dumps(numbers(here)).replace("the module", "run.npz") == json.dumps(numbers(there))
    assert {model["input"] for model in numbers(there)} == {"captured"}
    assert all(model["caution"] is None for model in numbers(there))


def test_each_layer_has_the_inputs_lengths_start_and_activation_that_were_recorded(file: str) -> None:
    (opened,) = open_models([file], ModelOptions())
    encoder, relu = opened.prepared_subjects()
    run = a_run()
    for b, length in enumerate(LENGTHS):
        assert np.array_equal(encoder.sequences.xs[b, STEPS - length :], run.calls["encoder"].xs[b, :length])
    assert np.array_equal(encoder.s0, run.calls["encoder"].starts[0])
    assert relu.subject.label == "captured#2.0" and relu.subject.cell.activation.name == "relu"
    assert encoder.sequences.tokens == tuple("abcde")


def test_steps_and_trials_take_the_beginning(file: str) -> None:
    (opened,) = open_models([file], ModelOptions(steps=6, trials=2, layer="encoder"))
    (encoder,) = opened.prepared_subjects()
    assert encoder.sequences.lengths.tolist() == [5, 6] and encoder.sequences.steps == 6
    assert np.array_equal(encoder.sequences.xs[1], a_run().calls["encoder"].xs[1, :6])


def test_masked_steps_hand_the_state_on_and_no_bound_by_lag_is_certified(tmp_path: Path) -> None:
    taken = np.arange(STEPS) != 3
    run, path = a_run(taken=np.tile(taken, (BATCH, 1))), tmp_path / "run.npz"
    path.write_bytes(run.content())
    (opened,) = open_models([str(path)], ModelOptions(layer="encoder"))
    (encoder,) = opened.prepared_subjects()
    for b, length in enumerate(LENGTHS):
        assert encoder.sequences.taken[b, STEPS - length :].tolist() == taken[:length].tolist()
    with pytest.raises(VanishgradError, match=r"got encoder\.0 behind a mask of its batch"):
        vanishgrad.certify(path, tmp_path / "c.json", layer="encoder")


def test_another_input_is_taken_where_it_is_asked_for(file: str) -> None:
    report = vanishgrad.analyze(file, input="white:0.5", steps=4, trials=2, layer="encoder")
    assert report.document["request"]["input"] == "white:0.5" and report.document["models"][0]["caution"]


@pytest.mark.parametrize(
    ("argv", "status", "says"),
    [
        ("analyze {}", 0, "input captured"),
        ("inspect {}", 0, "(captured): 2 recurrent layers"),
        ("check {} --horizon 3", 0, "ok   encoder.0"),
        ("diff {} {}", 0, "no difference"),
        ("explain {} --layer encoder --only map", 0, "('e')"),
        ("verify {} --layer encoder", 0, "complex step"),
        ("certify {} --layer captured#2 --input captured --claim lower --output {}.json", 0, "inputs.npy, from s_0 = 0"),
        ("certify {} --layer encoder --input captured --claim lower --output {}.json", 0, "from the start that it names"),
        ("certify {} --layer encoder --along captured --output {}.json", 0, "from the start that it names"),
        ("analyze {} --burn-in 3", 2, "expected no --burn-in with a captured run"),
        ("analyze {} --steps 10 --layer encoder", 2, "expected --steps up to 9"),
        ("analyze {} --trials 4", 2, "expected --trials up to 3"),
    ],
)  # fmt: skip
def test_every_command_reads_it(file: str, argv: str, status: int, says: str, capsys) -> None:
    with pytest.raises(SystemExit) as end:
        main(argv.format(*[file] * argv.count("{}")).split())
    out = capsys.readouterr()
    assert end.value.code == status and says in out.out + out.err


def test_only_a_captured_run_drives_its_layers(tmp_path: Path) -> None:
    np.savez(tmp_path / "plain.npz", **weights(4))
    with pytest.raises(UsageError, match="expected a captured run for the input 'captured'"):
        vanishgrad.analyze(tmp_path / "plain.npz", input="captured")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"xs": np.full((BATCH, STEPS, WIDTH), np.nan)}, "finite numbers as captured.0.xs"),
        ({"xs": np.zeros((BATCH, STEPS))}, "got inputs"),
        ({"lengths": np.array([5, STEPS + 1, 7])}, "lengths that do not fit"),
        ({"starts": np.zeros((1, BATCH + 1, 2 * N))}, "got starts"),
        ({"starts": np.zeros((1, BATCH, N))}, "start"),
        ({"xs": np.zeros((BATCH, STEPS, WIDTH + 1))}, "width"),
        ({"directions": 3}, "a list of calls"),
        ({"taken": np.arange(BATCH * STEPS).reshape(BATCH, STEPS) > 0}, "got steps that are taken"),
        ({"reading": {"activation": 1}}, "a list of calls"),
    ],
)
def test_a_run_that_contradicts_itself_is_a_sentence(tmp_path: Path, change: dict, message: str) -> None:
    path = tmp_path / "run.npz"
    path.write_bytes(a_run(**change).content())
    with pytest.raises(VanishgradError, match=message):
        vanishgrad.analyze(path, layer="encoder")


def a_recorded_call(**changes) -> CapturedCall:
    rng, m = np.random.default_rng(1), 2 * N
    states, xs = rng.standard_normal((BATCH, STEPS + 1, m)), rng.standard_normal((BATCH, STEPS, WIDTH))
    arrays = {
        "jacobians": rng.standard_normal((BATCH, STEPS, m, m)),
        "input_jacobians": rng.standard_normal((BATCH, STEPS, m, WIDTH)),
        "states": states,
        "inputs": xs,
    }
    reading = {"cell": "recorded", "module": "Own", "parts": f"{N} {N}", **changes.pop("reading", {})}
    whole = {"xs": xs, "lengths": np.full(BATCH, STEPS), "starts": states[None, :, 0]}
    own = {key: changes.pop(key) for key in list(changes) if key in whole}
    return CapturedCall({**arrays, **changes}, reading, **{**whole, **own})


def test_recorded_derivatives_are_read_back(tmp_path: Path) -> None:
    path, call = tmp_path / "run.npz", a_recorded_call()
    path.write_bytes(CapturedRun({"own": call}).content())
    (model,) = vanishgrad.analyze(path, steps=1, trials=2).result.models
    expected = np.mean([np.log(np.linalg.norm(call.weights["jacobians"][b, 0], 2)) for b in (0, 1)])
    assert model.curves["state"].log_norm.mean[1] == pytest.approx(expected)


def test_recorded_derivatives_go_to_each_sequences_own_end(tmp_path: Path) -> None:
    path, call = tmp_path / "run.npz", a_recorded_call(lengths=LENGTHS)
    path.write_bytes(CapturedRun({"own": call}).content())
    (model,) = vanishgrad.analyze(path, per_trial=True).result.models
    for norms, J, length in zip(model.curves["state"].by_trial, call.weights["jacobians"], LENGTHS, strict=True):
        wanted = [np.log(np.linalg.norm(J[length - 1], 2)), np.log(np.linalg.norm(J[length - 1] @ J[length - 2], 2))]
        assert norms[1:3] == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"jacobians": np.zeros((BATCH, STEPS, 3))}, "got jacobians"),
        ({"inputs": np.zeros(())}, "got jacobians"),
        ({"states": np.full((BATCH, STEPS + 1, 2 * N), np.nan)}, "finite"),
        ({"states": np.zeros((BATCH, STEPS + 1, 2 * N), dtype=int)}, "expected float64"),
        ({"states": np.zeros((BATCH, STEPS, 2 * N))}, "expected Jacobians"),
        ({"reading": {"parts": "4 0 4"}}, "expected Jacobians"),
        ({"reading": {"parts": "9" * 5000}}, "sizes of the state"),
        ({"reading": {"parts": "four"}}, "sizes of the state"),
        ({"xs": np.zeros((BATCH, STEPS + 2, WIDTH))}, "derivatives of all steps"),
    ],
)
def test_recorded_derivatives_that_do_not_fit_are_a_sentence(tmp_path: Path, change: dict, message: str) -> None:
    path = tmp_path / "run.npz"
    path.write_bytes(CapturedRun({"own": a_recorded_call(**change)}).content())
    with pytest.raises(VanishgradError, match=message):
        vanishgrad.analyze(path)


@pytest.mark.parametrize(("lang", "word"), [("en", "white noise"), ("zh", "白噪声")])
def test_an_answer_of_a_file_on_noise_says_so_first_in_both_languages(tmp_path: Path, lang: str, word: str) -> None:
    np.savez(tmp_path / "plain.npz", **weights(4))
    on_noise = vanishgrad.answer(tmp_path / "plain.npz", lang=lang, steps=6)
    assert word in "".join(str(on_noise).splitlines()[:4]) and word in on_noise.caution


def test_an_answer_along_a_captured_run_has_no_caution(file: str) -> None:
    assert vanishgrad.answer(file, layer="encoder").caution is None
