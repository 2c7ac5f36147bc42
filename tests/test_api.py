"""Python spells what the command line does the same way, and hands arrays over where it names files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import vanishgrad
from tests.models.nets import TOKENS, WIDTH, N, two_modules
from vanishgrad.errors import UsageError, VanishgradError

SMALL = {"hidden": 4, "steps": 6, "trials": 2}


def numbers(report) -> list[dict]:
    """Everything but the request and what it calls the input, where an array has no file's name."""
    return [{name: value for name, value in model.items() if name != "input"} for model in report.document["models"]]


def test_one_name_is_a_model() -> None:
    assert vanishgrad.compare("lstm", **SMALL).document == vanishgrad.compare(["lstm"], **SMALL).document


@pytest.mark.parametrize("command", [vanishgrad.compare, vanishgrad.analyze, vanishgrad.explain])
def test_one_layer_and_a_stack_are_spelled_as_on_the_command_line(tmp_path: Path, command) -> None:
    file = two_modules(tmp_path)
    report = command(file, layer="b", stack="a,b", steps=6, trials=2)
    assert report.document["request"]["layers"] == ["b"]
    assert report.document["request"]["stack"] == ["a", "b"]
    assert [model["label"].rpartition(":")[2] for model in numbers(report)] == ["b.0"]
    assert numbers(report) == numbers(command(Path(file), layer=["b"], stack=("a", "b"), steps=6, trials=2))


def test_an_option_of_another_command_is_said_to_be_one() -> None:
    with pytest.raises(UsageError, match="expected an option of explain, got 'per_trial', which is one of compare and"):
        vanishgrad.explain("lstm", per_trial=True)


@pytest.mark.parametrize(
    ("command", "option", "nearest"),
    [
        (vanishgrad.compare, "stepz", "steps"),
        (vanishgrad.analyze, "layers", "layer"),
        (vanishgrad.explain, "burnin", "burn_in"),
    ],
)
def test_an_unknown_option_gets_the_nearest(command, option: str, nearest: str) -> None:
    with pytest.raises(UsageError, match=f"expected an option of {command.__name__}, got '{option}'; try {nearest}$"):
        command("lstm", **{option: 1})


@pytest.mark.parametrize(
    ("command", "source"),
    [
        (vanishgrad.analyze, None),
        (vanishgrad.analyze, [{"weight_hh_l0": np.eye(2)}]),
        (vanishgrad.explain, 3),
        (vanishgrad.compare, [3]),
        (vanishgrad.sweep, None),
        (vanishgrad.sweep, [3]),
        (vanishgrad.learn, [3]),
    ],
)
def test_what_is_no_model_is_refused_in_a_sentence(command, source) -> None:
    with pytest.raises(UsageError, match=r"expected .*MODEL.*, got .*; try"):
        command(source)


def test_lists_in_place_of_arrays_are_refused_by_name() -> None:
    weights = {name: np.eye(2).tolist() for name in ("weight_hh_l0", "weight_ih_l0")}
    with pytest.raises(VanishgradError, match=r"expected an array for weight_hh_l0, got a list; try numpy\.asarray"):
        vanishgrad.analyze(weights)


@pytest.mark.parametrize("command", [vanishgrad.compare, vanishgrad.analyze, vanishgrad.explain])
def test_arrays_give_the_numbers_of_their_files(tmp_path: Path, command) -> None:
    rng = np.random.default_rng(1)
    arrays = {
        "input": rng.standard_normal((3, 8, WIDTH)),
        "initial": rng.standard_normal((3, 2 * N)),
        "lengths": np.array([5, 8, 6]),
    }
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
    files = {name: tmp_path / f"{name}.npy" for name in arrays}
    options = {"layer": "a.0"}
    file = two_modules(tmp_path)
    held = command(file, **options, **arrays)
    assert numbers(held) == numbers(command(file, **options, **files))
    assert held.document["request"]["input"] == "array (3, 8, 3)"
    assert held.document["request"]["lengths"] == [5, 8, 6]


def test_token_ids_may_be_a_list_and_weights_a_mapping(tmp_path: Path) -> None:
    ids = np.random.default_rng(2).integers(0, TOKENS, 9)
    file = two_modules(tmp_path)
    np.save(tmp_path / "ids.npy", ids)
    options = {"embedding": "emb.weight", "layer": "a"}
    from_files = vanishgrad.analyze(file, input=str(tmp_path / "ids.npy"), **options)
    from_memory = vanishgrad.analyze(dict(np.load(file)), input=ids.tolist(), **options)
    for one, other in zip(numbers(from_files), numbers(from_memory), strict=True):
        assert one["curves"] == other["curves"]


def test_side_by_side_in_processes_arrays_are_the_same() -> None:
    """A request with an array reaches another process whole."""
    import pickle

    from vanishgrad.questions.compare import CompareRequest

    request = CompareRequest(models="lstm", input=np.arange(12.0).reshape(4, 3))
    assert np.array_equal(pickle.loads(pickle.dumps(request)).input.array, request.input.array)


class Frame:
    """As a data frame hands its numbers out."""

    def to_numpy(self) -> np.ndarray:
        return np.ones((5, 3))


class Live:
    """As a tensor does that a gradient is taken of: NumPy may not read it before it is detached."""

    def __array__(self, *arguments, **options):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad")

    def detach(self):
        return self

    def cpu(self) -> np.ndarray:
        return np.ones((5, 3))


@pytest.mark.parametrize("held", [Frame(), Live(), [[1.0] * 3] * 5])
def test_frames_tensors_and_lists_are_arrays(held) -> None:
    expected = vanishgrad.compare("rnn", hidden=4, input=np.ones((5, 3)), trials=1)
    assert numbers(vanishgrad.compare("rnn", hidden=4, input=held, trials=1)) == numbers(expected)


def test_data_frames_are_weights_and_names_of_steps_a_list(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="needs pandas")
    rng = np.random.default_rng(3)
    weights = {"weight_ih_l0": rng.standard_normal((N, WIDTH)), "weight_hh_l0": rng.standard_normal((N, N))}
    frames = {name: pandas.DataFrame(array) for name, array in weights.items()}
    options = {"input": rng.standard_normal((5, WIDTH)), "only": "map", "tokens": list("abcde")}
    held = vanishgrad.explain(frames, **options)
    assert numbers(held) == numbers(vanishgrad.explain(weights, **options))
    assert held.document["models"][0]["map"]["tokens"] == list("abcde")
    (tmp_path / "names.txt").write_text("\n".join("abcde"))
    assert numbers(held) == numbers(vanishgrad.explain(weights, **{**options, "tokens": tmp_path / "names.txt"}))


def test_an_input_to_repeat_may_be_an_array(tmp_path: Path) -> None:
    word = np.array([[0.3, -0.2]])
    np.save(tmp_path / "word.npy", word)
    claims = [
        vanishgrad.certify(
            "rnn@gaussian:gain=3", tmp_path / "c.json", hidden=4, input_size=2, repeat=repeat
        ).outcome.certificate.claim
        for repeat in (word, tmp_path / "word.npy")
    ]
    assert claims[0] == claims[1]


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.ones((2, 2, 2, 2)), r"expected inputs \(T, d\) .* in 'array \(2, 2, 2, 2\)'"),
        (np.full((4, 2), np.nan), r"expected finite inputs, got nan at index .* of 'array \(4, 2\)'"),
        (np.array(["a"]), "expected a string or an array of numbers for input, got ndarray"),
    ],
)
def test_an_array_that_cannot_be_is_one_sentence(array: np.ndarray, sentence: str) -> None:
    with pytest.raises(vanishgrad.VanishgradError, match=sentence):
        vanishgrad.compare("rnn", hidden=2, input=array)
