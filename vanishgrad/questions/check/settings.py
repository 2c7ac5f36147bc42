"""Settings of `check` in a project's own file: ``[tool.vanishgrad.check]`` of pyproject.toml, or the same of another.

Keys are the command's options by their names, with - or _; horizons of single layers are the table ``horizons``::

    [tool.vanishgrad.check]
    horizon = 50
    input = "tests/batch.npy"

    [tool.vanishgrad.check.horizons]
    "encoder.1" = 80
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from vanishgrad.errors import UsageError, VanishgradError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE = "pyproject.toml"
TABLE = ("tool", "vanishgrad", "check")
HORIZONS = "horizons"
MAX_BYTES = 10**6
"""Of a file of settings; a larger one is something else."""


def settings(path: str | None, options: Collection[str]) -> dict[str, list[str]]:
    """Return option → its values, as they would be typed, in a file: pyproject.toml of this folder if none is named.

    Parameters
    ----------
    options : collection of str
        What may be there.

    Raises
    ------
    UsageError
        For a key that is no option, with the nearest that is; or for a value that none can be.
    VanishgradError
        If the file is not TOML, or was named and has no such table.
    """
    if path is None and not os.path.isfile(FILE):
        return {}
    table: Any = _toml(path or FILE)
    for key in TABLE:
        table = table.get(key) if isinstance(table, dict) else None
    if table is None and path is None:
        return {}
    name = f"[{'.'.join(TABLE)}]"
    if not isinstance(table, dict):
        raise VanishgradError(
            f"expected a table {name} in {path or FILE!r}, got {'none' if table is None else table!r}"
        )
    values = {key.replace("-", "_"): value for key, value in table.items()}
    horizons = values.pop(HORIZONS, {})
    if not isinstance(horizons, dict):
        raise UsageError(f"expected {HORIZONS} of {name} as a table of layers, got {horizons!r}")
    for key in values:
        if key not in options:
            nearest = get_close_matches(key, options, n=1)
            hint = ", ".join(nearest) or f"one of {', '.join(options)}"
            raise UsageError(f"expected an option of check in {name}, got {key!r}; try {hint}")
    typed = {key: _typed(key, value, name) for key, value in values.items()}
    own = [f"{layer}={steps}" for layer, value in horizons.items() for steps in _typed(layer, value, name)]
    return {**typed, "horizon": [*typed.get("horizon", []), *own]} if own else typed


def _toml(path: str) -> Mapping[str, Any]:
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise VanishgradError(f"expected settings of at most {MAX_BYTES} bytes, got more in {path!r}")
        document: Mapping[str, Any] = tomllib.loads(content.decode())
    except OSError as error:
        raise VanishgradError(f"expected a file of settings at {path!r}, got {error.strerror}") from error
    except ValueError as error:
        raise VanishgradError(f"expected TOML in {path!r}, got {error}") from error
    return document


def _typed(key: str, value: Any, name: str) -> list[str]:
    """Return a value, or each of a list, as it would be typed on the command line."""
    values = value if isinstance(value, list) else [value]
    for value in values:
        if not isinstance(value, str | int | float):
            raise UsageError(
                f"expected {key} of {name} as text, a number, true, false or a list of them, got {value!r}"
            )
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
