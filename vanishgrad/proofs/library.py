"""The Coq library's files, in an order in which they compile."""

from __future__ import annotations

import re
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files
from pathlib import Path

ROOMS = ("abstract", "real", "cert")
PACKAGES = {
    "abstract": ("coq", "libcoq-mathcomp-algebra"),
    "real": ("coq", "libcoq-coquelicot"),
    "cert": ("coq",),
}
"""Room → the Debian packages that compiling it takes."""
LOGICAL = "VG"
"""The name under which the folder of the rooms is known to Coq."""
_REQUIRE = re.compile(rf"^From {LOGICAL}\.(\w+) Require (?:Import|Export) ([^.]*)\.$", re.MULTILINE)


@cache
def source(name: str) -> str:
    """Return the text of a file, ``cert/Gram`` say."""
    return (files(__package__) / f"{name}.v").read_text(encoding="utf-8")


def requirements(*names: str) -> dict[str, list[str]]:
    """Return the files of some rooms, or some files with all that they require: each with what it requires itself."""
    waiting = [file for name in names for file in (files_of(name) if name in ROOMS else [name])]
    by_file: dict[str, list[str]] = {}
    while waiting:
        name = waiting.pop()
        if name not in by_file:
            by_file[name] = sorted(required_files(source(name)))
            waiting.extend(by_file[name])
    return dict(sorted(by_file.items()))


def in_order(*names: str) -> list[str]:
    """Return the same files, each after those that it requires."""
    return list(TopologicalSorter(requirements(*names)).static_order())


def files_of(room: str) -> list[str]:
    """Return the files of a room."""
    return sorted(
        f"{room}/{each.name[:-2]}" for each in (files(__package__) / room).iterdir() if each.name.endswith(".v")
    )


def required_files(text: str) -> set[str]:
    """Return the files of the library that a text requires."""
    return {f"{room}/{each}" for room, names in _REQUIRE.findall(text) for each in names.split()}


def write_sources(folder: Path, *names: str) -> None:
    """Write the files of some rooms, or some files with all that they require, into a folder."""
    for name in requirements(*names):
        target = folder / f"{name}.v"
        target.parent.mkdir(exist_ok=True)
        target.write_text(source(name), encoding="utf-8")
