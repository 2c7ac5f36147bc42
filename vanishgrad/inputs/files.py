"""Input sequences from files, .npy, .csv and .txt, and from a text itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tokenize import TokenError
from typing import NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.errors import VanishgradError
from vanishgrad.file_bytes import demand_regular, file_bytes
from vanishgrad.inputs.held_array import HeldArray

TEXT = "text:"
"""What a source begins with that is the text itself."""
LARGEST_READ = 2**26
"""Bytes of an array up to which it is read whole; beyond, the file is mapped and read where it is used."""
DELIMITERS, SNIFFED = ",;\t ", 2**16
"""What may stand between the fields of a .csv, and how many characters are looked at to tell which."""
BYTES = 256
"""The alphabet of a text file."""


class FileSequences(NamedTuple):
    """What a file of inputs holds.

    Attributes
    ----------
    values : (B, T, d) array of float, or (B, T) array of int
        Real inputs, or token ids.
    single : bool
        Whether the file holds one sequence without an axis of sequences: it serves every trial.
    alphabet : int or None
        The number of different ids that the file's kind allows, where it says so.
    """

    values: Array
    single: bool
    alphabet: int | None = None

    @property
    def are_tokens(self) -> bool:
        """Whether the values are token ids."""
        return self.values.ndim == 2

    @property
    def width(self) -> int:
        """The width d of the inputs; of token ids the smallest one-hot width."""
        if not self.are_tokens:
            return int(self.values.shape[2])
        return self.alphabet or int(self.values.max()) + 1


def load(path: str) -> FileSequences:
    """Read a file of inputs, or the bytes of ``text:STRING``.

    Raises
    ------
    VanishgradError
        If the file is missing, of another kind, of another shape, or holds anything but finite numbers.
    """
    if path.startswith(TEXT):
        return _checked(_bytes(path.removeprefix(TEXT).encode(errors="surrogateescape")), path)
    if isinstance(path, HeldArray):
        return _checked(_npy(path), path)
    readers = {".npy": _npy, ".csv": _csv, ".txt": _text}
    suffix = Path(path).suffix.lower()
    if suffix not in readers:
        raise VanishgradError(f"expected inputs in a .npy, .csv or .txt file, got {path!r}; try one of these endings")
    return _checked(readers[suffix](path), path)


def load_array(path: str, what: str, kinds: str = "fiu") -> Array:
    """Read one numeric .npy array without running anything that it holds; what is in memory is taken as it is."""
    if isinstance(path, HeldArray):
        return path.array
    try:
        demand_regular(path)
        array = np.load(path, allow_pickle=False, mmap_mode="r")
    except OSError as error:
        raise VanishgradError(
            f"expected {what} in a readable .npy file, got {path!r}: {error.strerror or error}"
        ) from None
    except (ValueError, EOFError, MemoryError, SyntaxError, TokenError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise VanishgradError(f"expected {what} in a .npy file, got {path!r}: {reason}; try numpy.save") from None
    if not isinstance(array, np.ndarray):
        array.close()
    if not isinstance(array, np.ndarray) or array.dtype.kind not in kinds:
        raise VanishgradError(f"expected {what} as real numbers, got {path!r} of another kind; try numpy.save")
    return array if array.nbytes > LARGEST_READ else np.array(array)


def load_archive(path: str, what: str, names: Sequence[str] = ()) -> dict[str, Array]:
    """Read the arrays of a .npz file, all or those of some names, without running anything that it holds."""
    from zipfile import BadZipFile

    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file if not names or name in names}
    except (
        OSError, ValueError, EOFError, MemoryError, SyntaxError, TokenError, BadZipFile, AttributeError, TypeError,
    ) as error:  # fmt: skip
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise VanishgradError(f"expected {what} in a .npz file, got {path!r}: {reason}; try numpy.savez") from None


def _npy(path: str) -> FileSequences:
    array = load_array(path, "inputs")
    token = array.dtype.kind in "iu"
    if token and array.ndim in (1, 2):
        return FileSequences(np.atleast_2d(array).astype(np.int64), single=array.ndim == 1)
    if array.ndim not in (2, 3) or token:
        raise VanishgradError(
            f"expected inputs (T, d) or (B, T, d), or integer token ids (T,) or (B, T), got shape {array.shape} of "
            f"{array.dtype} in {path!r}; try reshaping it"
        )
    single = array.ndim == 2
    values = array.astype(np.float64, copy=False)
    return FileSequences(values[None] if single else values, single)


def _csv(path: str) -> FileSequences:
    """Return the rows of numbers of a table, below a line of headings if it has one."""
    text = file_bytes(path, "inputs").decode("utf-8-sig", errors="replace")
    delimiter = _delimiter(text)
    rows, is_first = list[list[float]](), True
    for number, fields in _lines(text, delimiter, path):
        try:
            rows.append([float(field) for field in fields])
        except ValueError:
            if not (is_first and all(map(_is_word, fields))):
                raise VanishgradError(
                    f"expected numbers between {delimiter!r}, got {delimiter.join(fields)[:40]!r} in line {number} of "
                    f"{path!r}; try decimal points, and headings in the first line alone"
                ) from None
        is_first = False
        if rows and len(rows[-1]) != len(rows[0]):
            raise VanishgradError(
                f"expected {len(rows[0])} numbers in every line, got {len(rows[-1])} in line {number} of {path!r}"
            )
    return FileSequences(np.array([rows], dtype=np.float64), single=True)


def _lines(text: str, delimiter: str, path: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the fields of each line that is not blank."""
    import csv

    reader = csv.reader(text.splitlines(), delimiter=delimiter, skipinitialspace=True)
    try:
        yield from ((reader.line_num, fields) for fields in reader if any(map(str.strip, fields)))
    except csv.Error as error:
        raise VanishgradError(
            f"expected a table of numbers, got {error} in line {reader.line_num} of {path!r}"
        ) from None


def _delimiter(text: str) -> str:
    """Return what stands between the fields, a comma where there is one field."""
    import csv

    try:
        return csv.Sniffer().sniff(text[:SNIFFED], DELIMITERS).delimiter
    except csv.Error:
        return DELIMITERS[0]


def _is_word(field: str) -> bool:
    """Whether a field is a heading: something that is no number."""
    try:
        float(field)
    except ValueError:
        first = field.strip().lstrip("+-.")[:1]
        return bool(first) and not first.isdigit()
    return False


def _text(path: str) -> FileSequences:
    return _bytes(file_bytes(path, "inputs"))


def _bytes(text: bytes) -> FileSequences:
    values = np.frombuffer(text, dtype=np.uint8).astype(np.int64)
    return FileSequences(values[None], single=True, alphabet=BYTES)


def _checked(sequences: FileSequences, path: str) -> FileSequences:
    values = sequences.values
    if values.size == 0:
        raise VanishgradError(f"expected at least one step of inputs, got none in {path!r}; try another file")
    if not np.isfinite(values).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise VanishgradError(f"expected finite inputs, got {values[where]} at index {where} of {path!r}")
    if sequences.are_tokens and values.min() < 0:
        raise VanishgradError(f"expected token ids from 0 on, got {values.min()} in {path!r}")
    return sequences
