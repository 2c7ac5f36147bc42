"""The library's files, in an order in which they compile."""

from __future__ import annotations

import re
from collections.abc import Iterator
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


def in_order(*rooms: str) -> list[str]:
    """Return the files of some rooms, ``cert/Sums`` say, each after those that it requires."""
    names = [name for room in rooms for name in _files(room)]
    return list(TopologicalSorter({name: sorted(required(name)) for name in names}).static_order())


def _files(room: str) -> Iterator[str]:
    yield from sorted(
        f"{room}/{Path(each.name).stem}" for each in (files(__package__) / room).iterdir() if _is_proof(each.name)
    )


def _is_proof(name: str) -> bool:
    return name.endswith(".v")


def required(name: str) -> set[str]:
    """Return the files of the library that a file requires."""
    return {f"{room}/{each}" for room, names in _REQUIRE.findall(source(name)) for each in names.split()}


def written(folder: Path, *rooms: str) -> list[str]:
    """Write the files of some rooms into a folder; return their names in the order in which they compile."""
    names = in_order(*rooms)
    for name in names:
        target = folder / f"{name}.v"
        target.parent.mkdir(exist_ok=True)
        target.write_text(source(name), encoding="utf-8")
    return names
