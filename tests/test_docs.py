"""README and the docs: their commands run as they are printed, and print what stands below them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vanishgrad.cli import COMMANDS, cli

ROOT = Path(__file__).parent.parent
WEIGHTS = ROOT.parent / "shared" / "weights"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
NOT_HERE = (
    "pip ",
    "apt-get",
    "pytest",
    "mkdocs",
    "python -m tests",
    "--steps 1000000",
    "vanishgrad learn",
    "vanishgrad sweep",
    "sweep.json",
)
"""What a block installs, tests, or takes too long for a test."""


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def commands(page: Path) -> list[tuple[list[str], str]]:
    """The lines of each `sh` block of a page, with the `text` block that shows what they print.

    What chaos makes of the last bit, or a rounding at a half, is in a `console` block and not compared.
    """
    found: list[tuple[list[str], str]] = []
    for kind, body in BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == "sh":
            found.append((body.replace("\\\n", " ").splitlines(), ""))
        elif kind == "text" and found and not found[-1][1]:
            found[-1] = (found[-1][0], body)
    return found


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_row_of_a_table_stands_in_one(page):
    lines = ["", *BLOCK.sub("", page.read_text(encoding="utf-8")).splitlines(), ""]
    starts = [i for i, line in enumerate(lines) if line.startswith("|") and not lines[i - 1].startswith("|")]
    assert [lines[i] for i in starts if not lines[i + 1].startswith("|--")] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_and_option_exists(page):
    for lines, _ in commands(page):
        for line in (each for each in lines if each.startswith("vanishgrad ")):
            for part in re.split(r"\|+", line):
                words = part.split("#")[0].split()
                if words[0] != "vanishgrad" or len(words) < 2:
                    continue
                assert words[1] in COMMANDS, line
                known = {flag for each in cli.get_command(None, words[1]).params for flag in each.opts}
                assert {word.split("=")[0] for word in words if word.startswith("--")} <= known, line


def test_readme_begins_with_its_two_commands_and_fits_a_page():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert commands(ROOT / "README.md")[0][0] == [
        "pip install -e '.[test]' && vanishgrad compare --steps 100",
        "python -m pytest -n auto",
    ]
    assert text.count("\n") <= 120


def test_readme_names_every_command_and_no_other():
    table = re.findall(r"^\| `([a-z]+)` \|", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert table and sorted(table) == sorted(COMMANDS)


def test_every_picture_of_the_gallery_is_shown():
    shown = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for picture in (ROOT / "plots").iterdir():
        assert f"plots/{picture.name}" in shown, picture.name


@pytest.mark.parametrize("page", [*PAGES, *ROOT.glob("*.md")], ids=name)
def test_links_to_files_that_exist(page):
    made = ("answer.en.html", "answer.zh.html")
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert target in made or (page.parent / target).exists(), target


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the files that the pages speak of."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "README.md", tmp_path)
    (tmp_path / "plots").mkdir()
    (tmp_path / "checkpoints").mkdir()
    draw = np.random.default_rng(0)
    sizes = {"weight_ih_l0": (48, 8), "weight_hh_l0": (48, 12), "bias_ih_l0": (48,), "bias_hh_l0": (48,)}
    for path in ("model.pt", "checkpoints/last.pt", "checkpoints/epoch1.pt", "checkpoints/epoch9.pt"):
        tensors = {f"encoder.{key}": draw.uniform(-0.3, 0.3, size) for key, size in sizes.items()}
        tensors["encoder.bias_ih_l0"][12:24] += 6
        with open(path, "wb") as file:
            np.savez(file, **tensors)
    np.save("letters.npy", np.eye(3))
    np.save("batch.npy", draw.standard_normal((4, 120, 8)))
    if WEIGHTS.is_dir():
        for file in WEIGHTS.iterdir():
            shutil.copy(file, tmp_path)
        example = [ROOT / "examples" / "detector_features.py", "silero_vad_16k.safetensors", "features.npy"]
        subprocess.run([sys.executable, *example], check=True)
    words = ["internationalization", "uncharacteristically", "electroencephalogram"]
    np.save("words.npy", np.array([[ord(letter) - ord("a") + 3 for letter in word] for word in words]))
    return tmp_path


def possible(line: str) -> bool:
    """Whether a line can run here: its programs and the files that it reads are there."""
    needs = [tool for tool in ("jq", "coqc") if (tool == "jq" and "jq " in line) or (tool == "coqc" and ".v" in line)]
    files = [word for word in line.split() if re.fullmatch(r"[\w./]+\.(safetensors|hdf5|onnx|npz)", word)]
    read = [word for word in files if f"--apply {word}" not in line]
    return all(map(shutil.which, needs)) and all(Path(word).exists() for word in read)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=name)
def test_a_page_prints_what_it_shows(page, folder):
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    program = f"vanishgrad() {{ '{sys.executable}' -m vanishgrad \"$@\"; }}; set -o pipefail\n"
    for lines, shown in commands(page):
        runnable = [re.sub(r"^pip install [^&]*&& ", "", line) for line in lines]
        runnable = [line for line in runnable if not any(word in line for word in NOT_HERE)]
        if not all(map(possible, runnable)):
            continue
        done = subprocess.run(
            ["bash", "-c", program + "\n".join(runnable)],
            cwd=folder, env=environment, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode in (0, 3), (runnable, done.stderr)
        assert "Traceback" not in done.stderr
        printed = set(map(squeezed, done.stdout.splitlines()))
        for line in filter(None, map(squeezed, shown.splitlines())):
            assert line in printed, f"{line!r} is not what {runnable} print"


def squeezed(line: str) -> str:
    """A line without rules and with single spaces: an excerpt may have narrower columns."""
    return " ".join(line.replace("─", "").split())
