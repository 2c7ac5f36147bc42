"""Files that a file names: they lie in its own folder or below, and nowhere else."""

from __future__ import annotations

import os

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.tensors import shown


def beside(path: str, location: object, what: str) -> str:
    """Return the path of a file that `path` names as the place of `what`.

    A link is followed, and must end in the folder of `path`, or in the one that `path` itself is a link to (download
    caches keep every file of a snapshot as a link into one folder).

    Raises
    ------
    VanishgradError
        If the location is absolute, climbs or leads out of the folder, or if no file is there.
    """
    folder = os.path.dirname(path) or "."
    where = os.path.join(folder, location) if isinstance(location, str) and location else ""
    homes = (os.path.realpath(folder), os.path.dirname(os.path.realpath(path)))
    if not where or os.path.isabs(str(location)) or not any(_is_inside(where, home) for home in homes):
        raise VanishgradError(
            f"expected {what} beside {path}, got the location {shown(location)}; "
            "try a model whose external data lie in its own folder"
        )
    if not os.path.isfile(where):
        raise VanishgradError(
            f"expected {what} in {shown(location)} beside {path}, got no such file; try copying it there too"
        )
    return where


def _is_inside(where: str, home: str) -> bool:
    try:
        return os.path.commonpath([home, os.path.realpath(where)]) == home
    except ValueError:
        return False
