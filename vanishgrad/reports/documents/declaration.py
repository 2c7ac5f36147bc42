"""A JSON document declared once, as a class: written, read back with checks, and described in JSON Schema by it.

A field's type says what the value is, ``Annotated[TYPE, "sentence"]`` what it means; `Limits`, `Names` and `Pattern`
beside the sentence narrow it. A field with a default is left out of the document where it has that default.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, FrozenInstanceError
from enum import Enum
from inspect import get_annotations
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, NoReturn, TypeVar

import numpy as np

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: object):
        """Tell type checkers alone how `Document` is constructed."""
        return lambda cls: cls


D = TypeVar("D", bound="Document")
Schema = dict[str, Any]
"""A JSON Schema, draft 2020-12."""
SECTIONS = "sections"
"""The field whose members stand among the others in JSON: what is known of a model beside what all models have."""


class Limits(NamedTuple):
    """Of a number: JSON Schema's own keywords."""

    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: float | None = None
    exclusive_maximum: float | None = None

    @property
    def keywords(self) -> dict[str, float]:
        """Those that are set."""
        by_keyword = {
            "minimum": self.minimum,
            "exclusiveMinimum": self.exclusive_minimum,
            "maximum": self.maximum,
            "exclusiveMaximum": self.exclusive_maximum,
        }
        return {name: value for name, value in by_keyword.items() if value is not None}


class Names(NamedTuple):
    """Of an object whose members' names are no identifiers: all of them."""

    names: tuple[str, ...]


class Pattern(NamedTuple):
    """Of a text: the regular expression that it matches."""

    pattern: str


Count = Annotated[int, Limits(minimum=0)]
Size = Annotated[int, Limits(minimum=1)]
Log10 = Annotated[float, Limits(minimum=-1e12, maximum=1e12)]
"""A base-10 logarithm of a norm; no run reaches the limits."""
Digest = Annotated[str, Pattern("^[0-9a-f]{64}$")]
"""A sha256."""


@dataclass_transform(frozen_default=True, kw_only_default=True, eq_default=False)
class Document:
    """A JSON object: its members are what the class and its bases annotate, given by name and never changed.

    A dataclass but for the methods that `dataclasses` would compile for each: 0.2 ms a class, at every start.

    Attributes
    ----------
    declared : mapping
        Name of each member → its default, or MISSING.
    """

    declared: ClassVar[Mapping[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        cls.declared = {
            name: vars(base).get(name, MISSING)
            for base in reversed(cls.__mro__)
            for name, annotation in get_annotations(base).items()
            if not str(annotation).startswith("ClassVar")
        }

    def __init__(self, **members: Any) -> None:
        own = {**self.declared, **members}
        if len(own) > len(self.declared) or MISSING in own.values():
            raise TypeError(f"expected {', '.join(self.declared)} of {type(self).__name__}, got {', '.join(members)}")
        self.__dict__.update(own)
        self.__post_init__()

    def __post_init__(self) -> None:
        """Refuse members that cannot be asked for."""

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    @classmethod
    def of(cls: type[D], source: object, /, **members: Any) -> D:
        """Return the document of a result: the members given, every other from its attribute of the same name."""
        names = [name for name in cls.declared if name not in members and name != SECTIONS]
        own = {name: _taken(getattr(source, name)) for name in names}
        return cls(**own, **members)

    def with_members(self: D, **members: Any) -> D:
        """Return the document with other values of some members."""
        return type(self)(**{**self.__dict__, **members})

    @classmethod
    def read(cls: type[D], value: Any, path: str = "") -> D:
        """Return the document in a JSON value.

        Raises
        ------
        VanishgradError
            If a member is missing, unknown or of another type; the message has the path to it.
        """
        from vanishgrad.reports.documents.members import read_document  # what only reading needs takes 5 ms to import

        return read_document(cls, value, path)

    @classmethod
    def further(cls) -> Mapping[str, Any]:
        """Return name → type of members that may be there, or null, beside the fields; they stand in `sections`."""
        return {}

    def flaw(self) -> str | None:
        """Return what would have to be, if members do not fit one another."""
        return None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object; lists of numbers are the document's own."""
        members = {name: getattr(self, name) for name in self.declared if name != SECTIONS}
        own = {name: plain(value) for name, value in members.items() if not _is_left_out(value, self.declared[name])}
        return {**own, **plain(getattr(self, SECTIONS, {}))}

    @classmethod
    def schema(cls) -> Schema:
        """Return the JSON Schema."""
        from vanishgrad.reports.documents.members import schema_of

        return schema_of(cls)


def _taken(value: Any) -> Any:
    """Return a result's value as a document holds it."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping):
        return {str(name): inner for name, inner in value.items()}
    return value.value if isinstance(value, Enum) else value


def plain(value: Any) -> Any:
    """Return a document's value as `json` writes it; a list of numbers stays the same list."""
    if isinstance(value, Document):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], Document | Mapping | list):
        return [plain(inner) for inner in value]
    return value


def _is_left_out(value: Any, default: Any) -> bool:
    return value == default or (default == () and value == [])


def finite(value: float) -> float | None:
    """Return a number, or None for what JSON has no number for."""
    return value if math.isfinite(value) else None


def one_length(columns: Mapping[str, Sequence[Any]]) -> str | None:
    """Return what is wrong with lists that run side by side, from one item on; None if nothing is."""
    if len({len(column) for column in columns.values()}) == 1 and all(columns.values()):
        return None
    return f"{', '.join(columns)} of one length from 1 on"
