"""docs/how-to/checkpoints.md says of formats, layouts, gate orders and refusals what the code does."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

from vanishgrad.errors import VanishgradError
from vanishgrad.weights import gate_order
from vanishgrad.weights.formats import FORMATS
from vanishgrad.weights.formats.strangers import BEGINNINGS
from vanishgrad.weights.gate_order import STACKINGS, Stacking
from vanishgrad.weights.layouts import LAYOUTS
from vanishgrad.weights.recognition import recurrent_layers

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/how-to/checkpoints.md").read_text(encoding="utf-8")
FIXTURES = ROOT / "tests/weights/fixtures"
WITHOUT_FIXTURE = {"captured", "equinox"}
"""A captured run is tested with the model that it is of; an .eqx is read only with --cell."""


def table(heading: str) -> Iterator[list[str]]:
    """Yield the cells of each row of the table whose first heading this is, code marks left out."""
    rows = PAGE.partition(f"\n| {heading} |")[2].splitlines()[2:]
    for row in rows:
        if not row.startswith("|"):
            return
        yield [cell.strip().replace("`", "") for cell in row.strip("|").split("|")]


def test_the_formats_are_those_that_the_code_reads() -> None:
    assert sorted(row[0] for row in table("format")) == sorted(FORMATS)


def test_an_extra_is_named_where_a_format_needs_its_package() -> None:
    project = ConfigParser()
    project.read(ROOT / "setup.cfg", encoding="utf-8")
    packages = {name: re.split("[>=]", needs.strip())[0] for name, needs in project["options.extras_require"].items()}
    for name, *_, extra in table("format"):
        module = (ROOT / f"vanishgrad/weights/formats/{FORMATS[name]}.py").read_text(encoding="utf-8")
        needed = {
            each for each in ("keras", "orbax") if packages[each] in module or (each == "keras" and "hdf5" in module)
        }
        assert needed == {extra} - {""}, name


def test_the_layouts_are_those_that_the_code_knows() -> None:
    assert sorted(row[0] for row in table("layout")) == sorted(LAYOUTS)


def test_every_format_and_layout_has_a_file_that_is_read_so() -> None:
    formats, layouts = set[str](), set[str]()
    for path in sorted(FIXTURES.iterdir()):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                file = recurrent_layers(path)
        except VanishgradError:
            continue
        formats.add(file.format)
        layouts |= {layer.layout for layer in file}
    assert formats | WITHOUT_FIXTURE == set(FORMATS)
    # Those of test_cells_of_packages and test_linear_attention.
    own = {"linear_attention", "mingru", "ncps", "state_space", "torchrecurrent", "xlstm"}
    assert set(LAYOUTS) - layouts <= {"equinox", "plain", "recorded", "saved"} | own


def test_the_orders_of_gates_are_the_codes() -> None:
    orders = {each.name: each for each in vars(gate_order).values() if isinstance(each, Stacking)}
    rows = list(table("order"))
    assert [row[0] for row in rows[: len(STACKINGS)]] == list(STACKINGS)
    assert {row[0]: row[1:] for row in rows} == {
        name: [" ".join(each.lstm), " ".join(each.gru), "rows, h W" if each.transposed else "columns, W h"]
        for name, each in orders.items()
    }


def test_a_file_that_begins_like_another_kind_is_in_the_table_with_its_remedy() -> None:
    rows = dict[str, str](table("what"))
    assert {what: remedy for _, what, remedy in BEGINNINGS}.items() <= rows.items()


@pytest.mark.parametrize("what", [what for what, _ in table("what")])
def test_the_code_refuses_it_in_these_words(what: str) -> None:
    source = " ".join(path.read_text(encoding="utf-8") for path in (ROOT / "vanishgrad/weights").rglob("*.py"))
    assert what in re.sub(r'"\s*\n\s*f?"', "", source)
