"""Own cells by name: ``@FILE.py:NAME`` runs a file of the user's, ``@NAME`` asks installed packages' entry points.

This is the one place where code of a file is run; it is what such an argument asks for.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from inspect import signature
from typing import Any

from vanishgrad.cells.own import OwnCell
from vanishgrad.errors import UsageError, VanishgradError

GROUP = "vanishgrad.cells"
"""Of entry points: a package's cells under their names."""
SIGN = "@"
"""What such an argument begins with."""


def own_cell(argument: str, seed: int = 0) -> OwnCell:
    """Return the cell that an argument names; the file of its name is run.

    A function is called for it, with a `seed` if it takes one.

    Raises
    ------
    UsageError, VanishgradError
        If there is no such file, package or name, if the file does not run, or if the name is no cell.
    """
    path, colon, name = argument.removeprefix(SIGN).rpartition(":")
    if not name or (not colon and name.endswith(".py")):
        raise UsageError(
            f"expected the name of a cell, got none in {argument!r}; try {SIGN}{path or name or 'FILE.py'}:NAME"
        )
    value = _of_file(path, name, argument) if colon else _of_package(name)
    if callable(value) and not isinstance(value, OwnCell):
        value = value(seed=seed) if "seed" in signature(value).parameters else value()
    if not isinstance(value, OwnCell):
        raise VanishgradError(
            f"expected {argument} to be a cell, got {type(value).__name__}; "
            f"try {name} = vanishgrad.cell(step, state=…, …)"
        )
    return value.labelled(argument)


def _of_file(path: str, name: str, argument: str) -> Any:
    if not os.path.isfile(path):
        raise VanishgradError(f"expected a file of Python, got no file {path!r} in {argument}; try {SIGN}FILE.py:NAME")
    spec = spec_from_file_location("own_cell_of_vanishgrad", path)
    if spec is None or spec.loader is None:
        raise UsageError(f"expected a file that ends in .py, got {argument}; try {SIGN}FILE.py:NAME")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except VanishgradError:
        raise
    except Exception as error:
        raise VanishgradError(
            f"expected {path} to run, got {type(error).__name__}: {error}; try python {path}"
        ) from error
    if not hasattr(module, name):
        raise VanishgradError(
            f"expected {name} in {path}, got no such name; try {SIGN}{path}:NAME with a name of the file"
        )
    return getattr(module, name)


def _of_package(name: str) -> Any:
    known = {each.name: each for each in entry_points(group=GROUP)}
    if name not in known:
        raise UsageError(
            f"expected {SIGN}FILE.py:NAME, or a package's entry point of {GROUP}, got {SIGN}{name}; "
            f"try {' or '.join(SIGN + each for each in known) or f'{SIGN}my_cell.py:{name}'}"
        )
    return known[name].load()
