"""A file that does not hold what was asked for: one sentence that names it, what it holds, and the remedy."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from vanishgrad.cells import LSTM
from vanishgrad.errors import VanishgradError
from vanishgrad.inputs.initial_state import initial_state
from vanishgrad.inputs.sequences import InputRequest, input_sequences

LINES = np.arange(12.0).reshape(4, 3)


def with_one(value: float) -> np.ndarray:
    spoiled = LINES.copy()
    spoiled[2, 1] = value
    return spoiled


def npy(array: object) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(array))
    return file.getvalue()


def npz() -> bytes:
    file = io.BytesIO()
    np.savez(file, x=LINES)
    return file.getvalue()


def told(path: Path, content: bytes, sentence: str, **options: object) -> None:
    path.write_bytes(content)
    with pytest.raises(VanishgradError, match=sentence) as caught:
        input_sequences(InputRequest(str(path), **options), 3)
    assert "\n" not in str(caught.value)
    assert path.name in str(caught.value)


@pytest.mark.parametrize(("name", "content", "sentence"), [
    ("x.npy", npy(with_one(np.nan)), r"expected finite inputs, got nan at index \(0, 2, 1\) of"),
    ("x.npy", npy(with_one(-np.inf)), r"expected finite inputs, got -inf at index \(0, 2, 1\) of"),
    ("x.npy", npy(LINES)[:-9], r"expected inputs in a .npy file, got .*; try numpy.save"),
    ("x.npy", npy(LINES)[:40], r"expected inputs in a .npy file, got .*; try numpy.save"),
    ("x.npy", b"", r"expected inputs in a .npy file, got .*; try numpy.save"),
    ("x.npy", b"no array at all", r"expected inputs in a .npy file, got .*; try numpy.save"),
    ("x.npy", npz(), r"expected inputs as real numbers, got .* of another kind; try numpy.save"),
    ("x.npy", npy(["a", "b"]), r"expected inputs as real numbers, got .* of another kind"),
    ("x.npy", npy([True, False]), r"expected inputs as real numbers, got .* of another kind"),
    ("x.npy", npy(LINES + 1j), r"expected inputs as real numbers, got .* of another kind"),
    ("x.npy", npy(1.0), r"expected inputs \(T, d\) or \(B, T, d\), .* got shape \(\) of float64 in .*; try reshaping"),
    ("x.npy", npy(LINES[0]), r"got shape \(3,\) of float64"),
    ("x.npy", npy(LINES[None, None]), r"got shape \(1, 1, 4, 3\) of float64"),
    ("x.npy", npy(np.zeros((2, 2, 2), int)), r"got shape \(2, 2, 2\) of int64"),
    ("x.npy", npy(np.zeros((0, 3))), r"expected at least one step of inputs, got none in .*; try another file"),
    ("x.npy", npy(np.zeros((3, 0))), r"expected at least one step of inputs, got none"),
    ("x.npy", npy(LINES).replace(b"(4, 3)", b"(4, 3("), r"expected inputs in a .npy file, got .*; try numpy.save"),
    ("x.npy", npy(LINES).replace(b"(4, 3), }", b"(4, '3), }"), r"expected inputs in a .npy file, got .*; try numpy"),
    ("x.npy", npy(np.array([0, 10**18])), r"expected at most 1048576 different token ids, got 10{17}1 in .*; try"),
    ("x.npy", npy(np.array([0, -3])), r"expected token ids from 0 on, got -3 in"),
    ("x.csv", b"a,b\nc,d\n1,2\n", r"expected numbers between ',', got 'c,d' in line 2 of .*; try decimal points"),
    ("x.csv", b"1,2\na,b\n", r"expected numbers between ',', got 'a,b' in line 2 of .*, and headings in the first line"),
    ("x.csv", b",a,b\n0,1,2\n", r"expected numbers between ',', got ',a,b' in line 1"),
    ("x.csv", b"1,5;2,5\n1,5;3,5\n", r"expected numbers between .*in line 1 of .*; try decimal points"),
    ("x.csv", b"-1,5;-2,5\n1,5;3,5\n", r"expected numbers between .*in line 1 of .*; try decimal points"),
    ("x.csv", b"1,2\n3,\n", r"expected numbers between ',', got '3,' in line 2"),
    ("x.csv", b"1,2\n3\n", r"expected 2 numbers in every line, got 1 in line 2"),
    ("x.csv", b"1,nan\n", r"expected finite inputs, got nan at index \(0, 0, 1\)"),
    ("x.csv", b"", r"expected at least one step of inputs, got none"),
    ("x.csv", b"\xff\xfe\x00", r"expected (at least one step|a table of numbers)"),
    ("x.txt", b"", r"expected at least one step of inputs, got none"),
    ("x.wav", b"", r"expected inputs in a .npy, .csv or .txt file, got .*; try one of these endings"),
    ("x", b"", r"expected inputs in a .npy, .csv or .txt file"),
])  # fmt: skip
def test_content(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    told(tmp_path / name, content, sentence)


@pytest.mark.parametrize(("options", "sentence"), [
    ({"steps": 9}, r"expected 9 steps in .*, got 4; try --steps 4"),
    ({"steps": 3, "burn_in": 2}, r"expected 3 steps after 2 of burn-in in .*, got 4; try --steps 2"),
    ({"burn_in": 4}, r"expected 1 steps after 4 of burn-in in .*, got 4"),
    ({"input_size": 7}, r"expected inputs of width 7, got 3 in .*; try --input-size 3"),
])  # fmt: skip
def test_options_that_the_file_does_not_fit(tmp_path: Path, options: dict, sentence: str) -> None:
    told(tmp_path / "x.npy", npy(LINES), sentence, **options)


@pytest.mark.parametrize(("content", "options", "sentence"), [
    (npy(LINES[None]), {"trials": 2}, r"expected 2 sequences in .*, got 1; try --trials 1"),
    (npy(np.array([5, 0])), {"input_size": 4}, r"expected token ids below 4, got 5 in .*; try --input-size 6"),
])  # fmt: skip
def test_sequences_and_tokens_that_do_not_fit(tmp_path: Path, content: bytes, options: dict, sentence: str) -> None:
    told(tmp_path / "x.npy", content, sentence, **options)


@pytest.mark.parametrize("ids", [np.array([5, 0]), LINES])
def test_an_embedding_that_does_not_fit(tmp_path: Path, ids: np.ndarray) -> None:
    np.save(tmp_path / "x.npy", ids)
    with pytest.raises(VanishgradError, match=r"expected token ids (below 4|for --embedding)"):
        input_sequences(InputRequest(str(tmp_path / "x.npy")), 3, np.zeros((4, 2)))


@pytest.mark.parametrize("ending", ["npy", "csv", "txt"])
def test_a_missing_file_and_a_directory(tmp_path: Path, ending: str) -> None:
    for path in (tmp_path / f"absent.{ending}", tmp_path / f"folder.{ending}"):
        if path.stem == "folder":
            path.mkdir()
        with pytest.raises(VanishgradError, match=rf"expected .*readable .*, got '.*{path.name}': (No such|Is a dir)"):
            input_sequences(InputRequest(str(path)), 3)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("1\n")
    (tmp_path / "x.csv").chmod(0)
    with pytest.raises(VanishgradError, match="Permission denied"):
        input_sequences(InputRequest(str(tmp_path / "x.csv")), 3)


class _Executed:
    def __reduce__(self) -> tuple:
        return Path.touch, (Path("executed"),)


def test_nothing_that_a_file_holds_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    objects = io.BytesIO()
    np.save(objects, np.array([_Executed()], dtype=object), allow_pickle=True)
    for content in (objects.getvalue(), pickle.dumps(_Executed())):
        told(tmp_path / "x.npy", content, r"expected inputs in a .npy file, got .*; try numpy.save")
    assert not Path("executed").exists()


@pytest.mark.parametrize("values", [[7.0, 3.0], [[7, 3]], [7, -1], [0]])
def test_lengths_that_are_none(tmp_path: Path, values: list) -> None:
    np.save(tmp_path / "lengths.npy", np.array(values))
    with pytest.raises(VanishgradError, match=r"expected lengths as whole numbers from 1 on, got .*lengths.npy"):
        input_sequences(InputRequest(lengths=str(tmp_path / "lengths.npy")), 3)


def state(text: str) -> np.ndarray:
    return initial_state(text, LSTM(np.zeros((8, 2)), np.zeros((8, 1)), np.zeros(8)), "lstm", 3, 0, "float64")


def test_initial_states(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.arange(4.0))
    np.save(tmp_path / "each.npy", np.arange(12.0).reshape(3, 4))
    assert not state("zeros").any()
    assert state("normal").shape == (3, 4)
    np.testing.assert_array_equal(state("normal:0.5"), 0.5 * state("normal"))
    np.testing.assert_array_equal(state(str(tmp_path / "one.npy")), np.broadcast_to(np.arange(4.0), (3, 4)))
    np.testing.assert_array_equal(state(str(tmp_path / "each.npy")), np.arange(12.0).reshape(3, 4))


@pytest.mark.parametrize(("array", "sentence"), [
    (np.zeros(3), r"expected initial states \(4,\) or \(3, 4\) for lstm, got \(3,\) in"),
    (np.zeros((2, 4)), r"expected initial states \(4,\) or \(3, 4\) for lstm, got \(2, 4\) in"),
    (np.full(4, np.nan), r"expected finite initial states, got NaN or infinity in"),
    (np.array(["a"]), r"expected initial states as real numbers"),
])  # fmt: skip
def test_initial_states_that_do_not_fit(tmp_path: Path, array: np.ndarray, sentence: str) -> None:
    np.save(tmp_path / "s.npy", array)
    with pytest.raises(VanishgradError, match=sentence):
        state(str(tmp_path / "s.npy"))


@pytest.mark.parametrize(("text", "sentence"), [
    ("normal:x", "expected normal or normal:STD with a number STD >= 0, got 'normal:x'; try normal:0.5"),
    ("normal:-1", "expected normal or normal:STD with a number STD >= 0, got 'normal:-1'"),
    ("absent.npy", "expected initial states in a readable .npy file, got 'absent.npy': No such file"),
    ("ones", "expected initial states in a readable .npy file, got 'ones'"),
])  # fmt: skip
def test_initial_states_that_cannot_be(text: str, sentence: str) -> None:
    with pytest.raises(VanishgradError, match=sentence):
        state(text)
