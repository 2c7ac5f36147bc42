"""The house in figures, counted from its source: ``python -m tests.house`` prints them, tests/test_house.py limits them.

A room is a folder directly below ``vanishgrad/``. A figure that is beyond its limit is listed with where it comes from.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from vanishgrad.cells.registry import CELLS
from vanishgrad.cli import COMMANDS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "vanishgrad"
CELL_NAMES = set(CELLS) - {"attention"}
"""But for what is also the name of a section of an explanation."""
ROOMS_OF_CELLS = {"cells", "weights"}
"""Rooms that know the cells by name; all others ask the registry."""
SMALL = 40
"""Lines below which a file needs a reason."""


@cache
def sources() -> dict[str, str]:
    """Return path below the package → source, of every module."""
    return {path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8") for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def trees() -> dict[str, ast.Module]:
    """Return path below the package → syntax tree."""
    return {path: ast.parse(source) for path, source in sources().items()}


def lines() -> dict[str, int]:
    """Return path → number of lines."""
    return {path: source.count("\n") for path, source in sources().items()}


def small_files() -> dict[str, int]:
    """Return the files below `SMALL` lines with their lines.

    Left out are packages' ``__init__.py`` and ``__main__.py``, and ``cli/COMMAND.py``: a command has a file of its own,
    which hands its options on.
    """
    commands = {f"cli/{command}.py" for command in COMMANDS}
    return {
        path: count
        for path, count in lines().items()
        if count < SMALL and not Path(path).name.startswith("__") and path not in commands
    }


def rooms() -> dict[str, float]:
    """Return room → its share of all lines, largest first."""
    counts = Counter[str]()
    for path, count in lines().items():
        if "/" in path:
            counts[path.partition("/")[0]] += count
    return {room: count / sum(lines().values()) for room, count in counts.most_common()}


def cell_name_literals() -> list[str]:
    """Return where a string is a cell's name outside the rooms of cells and weights, as ``path:line``.

    The MODEL strings that a command takes by default are what a user would type, and are not counted.
    """
    return [
        f"{path}:{node.lineno}"
        for path, tree in trees().items()
        if path.partition("/")[0] not in ROOMS_OF_CELLS
        for statement in tree.body
        if not _is_default_models(statement)
        for node in ast.walk(statement)
        if isinstance(node, ast.Constant) and node.value in CELL_NAMES
    ]


def _is_default_models(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "DEFAULT_MODELS"


def repeated_class_names() -> dict[str, list[str]]:
    """Return each public class name that stands in more than one file, with the files."""
    places: dict[str, list[str]] = {}
    for path, tree in trees().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(path)
    return {name: paths for name, paths in places.items() if len(paths) > 1}


def defined(path: str) -> set[str]:
    """Return the names that a module defines at its top, and ``Class.method`` for those of its classes."""
    return set(_defined(trees()[path].body))


def _defined(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield prefix + node.name
        if isinstance(node, ast.ClassDef):
            yield from _defined(node.body, f"{node.name}.")
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        yield from (prefix + target.id for target in targets if isinstance(target, ast.Name))


NEWCOMER = (
    ("where is the horizon of a curve computed", "curves/curve.py", "Horizon"),
    ("which statistics stand for many trials", "curves/statistics.py", "quantiles"),
    ("which bounds are proved beside a curve", "curves/bounds.py", "bounds"),
    ("is the Jacobian right: what does its check compare", "curves/jacobian_check.py", "check"),
    ("how is the largest singular value found", "propagation/singular_values/largest.py", "largest_singular_value"),
    ("when does Lanczos iteration stop", "propagation/singular_values/lanczos.py", "leading_ritz"),
    ("how are detours told from the conveyor", "propagation/products/detours.py", "detour_products"),
    ("how are Lyapunov exponents computed", "propagation/lyapunov.py", "lyapunov_spectrum"),
    ("how does a run keep checkpoints instead of states", "propagation/checkpoints.py", "CheckpointedTrajectory"),
    ("what is the LSTM's step", "cells/lstm.py", "LSTM"),
    ("which activations are there", "cells/activations.py", "ACTIVATIONS"),
    ("what decides the gate order of an ONNX LSTM", "weights/gate_order.py", "ONNX"),
    ("how is safetensors read", "weights/formats/safetensors.py", "tensors"),
    ("how is a MODEL string parsed", "weights/model_string.py", "parse"),
    ("where do random weights get their laws", "weights/laws.py", "draw"),
    ("what does `check` judge", "questions/check/judge.py", "judgement"),
    ("where do the remedies of findings come from", "questions/explain/findings/remedies.py", "REMEDIES"),
    ("which sections has an explanation", "questions/explain/sections.py", "SECTIONS"),
    ("which kinds of plot are there", "questions/plot/kinds.py", "KINDS_BY_NAME"),
    ("how are random streams seeded", "random_streams.py", "stream"),
    ("which commands has the cli", "cli/__init__.py", "COMMANDS"),
)
"""A newcomer's questions, each with the file that its name should lead to and what is defined there."""


def guessable(question: str, path: str) -> bool:
    """Return whether a word of the question, or its beginning, stands in the path."""
    words = re.findall(r"[a-z]{3,}", question.lower())
    return any(part.startswith(word[: max(4, len(word) - 2)]) for word in words for part in re.findall(r"[a-z]+", path))


def _report() -> Iterator[str]:
    yield f"{len(sources())} modules, {sum(lines().values())} lines"
    largest = max(lines().items(), key=lambda item: item[1])
    yield f"largest file: {largest[0]}, {largest[1]} lines"
    yield "rooms: " + ", ".join(f"{room} {100 * share:.0f} %" for room, share in rooms().items())
    yield f"files under {SMALL} lines: {len(small_files())}"
    yield from (f"  {path} {count}" for path, count in small_files().items())
    yield f"cell names outside {', '.join(sorted(ROOMS_OF_CELLS))}: {len(cell_name_literals())}"
    yield from (f"  {place}" for place in cell_name_literals())
    yield f"public class names in several files: {len(repeated_class_names())}"
    yield from (f"  {name}: {', '.join(paths)}" for name, paths in repeated_class_names().items())


if __name__ == "__main__":
    print(*_report(), sep="\n")
