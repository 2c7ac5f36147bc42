"""A note that speaks of a convention names a flag, and the flag works on that file."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from vanishgrad.cli import cli
from vanishgrad.errors import VanishgradError
from vanishgrad.models.options import HINT_NAMES
from vanishgrad.weights.recognition import recurrent_layers

FIXTURES = Path(__file__).parent / "fixtures"
FLAG = re.compile(r"--(?P<name>[a-z][a-z-]+)(?: (?P<values>[\w./:-]+(?: or [\w./:-]+)*))?")
N, D = 3, 2


def noted() -> Iterator[tuple[Path, str, str]]:
    for path in sorted(FIXTURES.iterdir()):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                layers = recurrent_layers(path).layers
        except VanishgradError:
            continue
        for note, name in {note: layer.name for layer in layers for note in layer.assumptions}.items():
            yield path, name, note


def hints(layer, name: str, values: str | None) -> Iterator[dict[str, object]]:
    """What a note's flag says, each of its values; where it gives none, one that differs from what was taken."""
    if name == "interleaved":
        yield {name: True}
    elif name == "gates":
        yield {name: layer.stacking.order(layer.cell)[::-1]}
    elif name == "forget_offset":
        yield {name: 1.0}
    else:
        yield from ({name: value} for value in (values or "").split(" or "))


def test_every_flag_of_a_note_is_taken_by_the_command_and_works_on_its_file() -> None:
    options, count = {parameter.name for parameter in cli.get_command(None, "analyze").params}, 0
    for path, name, note in noted():
        layer = recurrent_layers(path)[name]
        for found in FLAG.finditer(note):
            flag = found["name"].replace("-", "_")
            assert flag in options, note
            for hint in hints(layer, flag, found["values"]) if flag in HINT_NAMES else ():
                assert recurrent_layers(path, **hint)[name].reading is not None, note
                count += 1
    assert count > 10


def interleaved(values: np.ndarray) -> np.ndarray:
    """Rows of four blocks as i0 f0 g0 o0 i1 …, by an index for each row."""
    return np.stack([values[gate * N + unit] for unit in range(N) for gate in range(4)])


@pytest.mark.parametrize("transposed", [False, True], ids=["rows", "columns"])
@pytest.mark.parametrize("gates", [None, "fiog"])
def test_interleaved_gates_are_read_as_blocks(transposed: bool, gates: str | None) -> None:
    rng = np.random.default_rng(0)
    blocks = {"W_hh": rng.standard_normal((4 * N, N)), "W_xh": rng.standard_normal((4 * N, D)), "b": np.arange(12.0)}
    apart = {name: interleaved(values) for name, values in blocks.items()}
    first, other = (
        {name: values.T for name, values in each.items()} if transposed else each for each in (blocks, apart)
    )
    expected = recurrent_layers(first, gates=gates).layers[0].build()
    found = recurrent_layers(other, gates=gates, interleaved=True).layers[0].build()
    for name in expected.tensors:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_a_cell_without_gates_has_none_to_interleave() -> None:
    with pytest.raises(VanishgradError, match=r"expected gates .* for --interleaved, got rnn"):
        recurrent_layers({"w_hh": np.eye(N), "w_xh": np.ones((N, D))}, interleaved=True)


def test_a_file_that_says_its_layout_is_not_interleaved() -> None:
    with pytest.raises(VanishgradError, match="expected one block for each gate, as the file says"):
        recurrent_layers(FIXTURES / "nested.keras", interleaved=True)
