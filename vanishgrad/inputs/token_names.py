"""Token names of a sequence's steps: the characters of a text, or names from a file."""

from __future__ import annotations

from vanishgrad.errors import VanishgradError
from vanishgrad.file_bytes import file_bytes
from vanishgrad.inputs.files import TEXT
from vanishgrad.inputs.held_array import HeldNames


def tokens(source: str, names: str | None, before: int, steps: int) -> tuple[str, ...] | None:
    """Return a name for each of some steps, None where nothing names them.

    Parameters
    ----------
    source : str
        The input: of ``text:STRING`` and a .txt file a step is a byte, named by the character that begins with it.
    names : str or None
        A file with a name a line, or names in memory, which come first.
    before, steps : int
        How many steps to pass over, and how many to name.

    Raises
    ------
    VanishgradError
        If the file of names cannot be read, or has too few.
    """
    if names is not None:
        if isinstance(names, HeldNames):
            labels = list(names.names)
        else:
            labels = file_bytes(names, "tokens").decode(errors="replace").splitlines()
        if len(labels) < before + steps:
            raise VanishgradError(
                f"expected a token for each of {before + steps} steps in {names!r}, got {len(labels)}; try --steps"
            )
    elif source.startswith(TEXT):
        labels = _characters(source.removeprefix(TEXT))
    elif source.lower().endswith(".txt"):
        labels = _characters(file_bytes(source, "inputs").decode(errors="surrogateescape"))
    else:
        return None
    return tuple(labels[before : before + steps])


def _characters(text: str) -> list[str]:
    """Return for each byte the character that begins with it, nothing for a byte within one."""
    characters = []
    for character in text:
        size = len(character.encode(errors="surrogateescape"))
        characters += ["\ufffd" if "\udc80" <= character <= "\udcff" else character, *[""] * (size - 1)]
    return characters
