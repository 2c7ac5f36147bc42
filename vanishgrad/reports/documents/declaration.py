"""A JSON document declared once, as a dataclass: written, read back with checks, and described in JSON Schema by it.

A field's type says what the value is, ``Annotated[TYPE, "sentence"]`` what it means; `Limits`, `Names` and `Pattern`
beside the sentence narrow it. A field with a default is left out of the document where it has that default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from vanishgrad.errors import VanishgradError
from vanishgrad.reports.documents.kinds import (
    ANEW,
    BooleanKind,
    ChoiceKind,
    DescribedKind,
    Kind,
    ListKind,
    MappingKind,
    NullableKind,
    NumberKind,
    NumberOrTextKind,
    Schema,
    StringKind,
    member_path,
    refuse,
)

D = TypeVar("D", bound="Document")
SECTIONS = "sections"
"""The field whose members stand among the others in JSON: what is known of a model beside what all models have."""


@dataclass(frozen=True)
class Limits:
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


@dataclass(frozen=True)
class Names:
    """Of an object whose members' names are no identifiers: all of them."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Pattern:
    """Of a text: the regular expression that it matches."""

    pattern: str


Count = Annotated[int, Limits(minimum=0)]
Size = Annotated[int, Limits(minimum=1)]
Log10 = Annotated[float, Limits(minimum=-1e12, maximum=1e12)]
"""A base-10 logarithm of a norm; no run reaches the limits."""
Digest = Annotated[str, Pattern("^[0-9a-f]{64}$")]
"""A sha256."""


@dataclass(frozen=True, eq=False)
class Document:
    """A JSON object whose members are the fields of a dataclass."""

    @classmethod
    def of(cls: type[D], source: object, /, **members: Any) -> D:
        """Return the document of a result: the members given, every other from its attribute of the same name."""
        names = [each.name for each in fields(cls) if each.name not in members and each.name != SECTIONS]
        own = {name: _taken(getattr(source, name)) for name in names}
        return cls(**own, **members)

    @classmethod
    def read(cls: type[D], value: Any, path: str = "") -> D:
        """Return the document in a JSON value.

        Raises
        ------
        VanishgradError
            If a member is missing, unknown or of another type; the message has the path to it.
        """
        if not isinstance(value, dict):
            refuse("an object", path, value)
        kinds, further = members_of(cls), further_of(cls)
        for name in value:
            if name not in kinds and name not in further:
                raise VanishgradError(f"expected no {member_path(path, name)} in the report, got one; {ANEW}")
        for name, (_, required) in kinds.items():
            if required and name not in value:
                raise VanishgradError(f"expected {member_path(path, name)} in the report, got none; {ANEW}")
        own = {
            name: kind.read(value[name], member_path(path, name)) for name, (kind, _) in kinds.items() if name in value
        }
        beside = {
            name: kind.read(value[name], member_path(path, name)) for name, kind in further.items() if name in value
        }
        document = cls(**own, **({"sections": beside} if further else {}))
        flaw = document.flaw()
        return document if flaw is None else refuse(flaw, path, value)

    @classmethod
    def further(cls) -> Mapping[str, Any]:
        """Return name → type of members that may be there, or null, beside the fields; they stand in `sections`."""
        return {}

    def flaw(self) -> str | None:
        """Return what would have to be, if members do not fit one another."""
        return None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object; lists of numbers are the document's own."""
        members = ((each, getattr(self, each.name)) for each in fields(self))
        own = {each.name: plain(value) for each, value in members if not _is_left_out(each, value)}
        return {**own, **plain(getattr(self, SECTIONS, {}))}

    @classmethod
    def schema(cls) -> Schema:
        """Return the JSON Schema."""
        kinds = members_of(cls)
        own = {name: kind.schema() for name, (kind, _) in kinds.items()}
        return {
            "type": "object",
            "properties": {**own, **{name: kind.schema() for name, kind in further_of(cls).items()}},
            "required": [name for name, (_, required) in kinds.items() if required],
            "additionalProperties": False,
        }


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


def _is_left_out(declared: Field[Any], value: Any) -> bool:
    return declared.name == SECTIONS or value == declared.default or (declared.default == () and value == [])


_MEMBERS: dict[type[Document], Mapping[str, tuple[Kind, bool]]] = {}


def members_of(cls: type[Document]) -> Mapping[str, tuple[Kind, bool]]:
    """Return name → type of a document's members, and whether one has to be there; worked out once."""
    if cls not in _MEMBERS:
        hints = get_type_hints(cls, include_extras=True)
        declared = [each for each in fields(cls) if each.name != SECTIONS]
        _MEMBERS[cls] = {each.name: (kind_of(hints[each.name]), each.default is MISSING) for each in declared}
    return _MEMBERS[cls]


def further_of(cls: type[Document]) -> Mapping[str, Kind]:
    """Return name → type of what may stand beside a document's fields."""
    return {name: NullableKind(kind_of(hint)) for name, hint in cls.further().items()}


@dataclass(frozen=True)
class DocumentKind(Kind):
    """An object that is a document of its own."""

    cls: type[Document]
    one = "an object"
    many = "objects"

    def read(self, value: Any, path: str) -> Document:
        """Return the document."""
        return self.cls.read(value, path)

    def schema(self) -> Schema:
        """Return its schema."""
        return self.cls.schema()


@dataclass(frozen=True)
class OneOfKind(Kind):
    """An object of one of several documents, told apart by a constant among their members."""

    tag: str
    documents: Mapping[str, type[Document]]
    one = "an object"
    many = "objects"

    def read(self, value: Any, path: str) -> Document:
        """Return the document that the tag tells."""
        if not isinstance(value, dict):
            refuse(self.one, path, value)
        tag = ChoiceKind(tuple(self.documents)).read(value.get(self.tag), member_path(path, self.tag))
        return self.documents[tag].read(value, path)

    def schema(self) -> Schema:
        """Return all of them."""
        return {"oneOf": [cls.schema() for cls in dict.fromkeys(self.documents.values())]}


def kind_of(hint: Any) -> Kind:
    """Return the type of JSON value that a field's annotation declares."""
    extras: tuple[Any, ...] = ()
    if get_origin(hint) is Annotated:
        hint, *rest = get_args(hint)
        extras = tuple(rest)
    kind = _narrowed(_bare(hint), extras)
    sentence = " ".join(each for each in extras if isinstance(each, str))
    return DescribedKind(kind, sentence) if sentence else kind


def _narrowed(kind: Kind, extras: Sequence[Any]) -> Kind:
    for extra in extras:
        if isinstance(extra, Limits) and isinstance(kind, NumberKind):
            kind = NumberKind(kind.whole, extra.keywords, kind.nullable)
        elif isinstance(extra, Names) and isinstance(kind, MappingKind):
            kind = MappingKind(kind.value, extra.names)
        elif isinstance(extra, Pattern):
            kind = StringKind(extra.pattern)
        elif not isinstance(extra, str):
            raise TypeError(f"expected limits of a number, names of an object or a sentence, got {extra!r}")
    return kind


BARE: Mapping[Any, Kind] = {
    str: StringKind(),
    bool: BooleanKind(),
    int: NumberKind(whole=True),
    float: NumberKind(whole=False),
}


def _bare(hint: Any) -> Kind:
    origin, inner = get_origin(hint), get_args(hint)
    if hint in BARE:
        return BARE[hint]
    if origin in (Union, UnionType):
        return _union(inner)
    if origin is Literal:
        return ChoiceKind(inner)
    if origin in (Sequence, list, tuple):
        return ListKind(kind_of(inner[0]))
    if origin in (Mapping, dict):
        return MappingKind(kind_of(inner[1]))
    if isinstance(hint, type) and issubclass(hint, Document):
        return DocumentKind(hint)
    raise TypeError(f"expected the type of a JSON value, got {hint!r}")


def _union(members: tuple[Any, ...]) -> Kind:
    some = [each for each in members if each is not NoneType]
    if set(members) == {float, str}:
        return NumberOrTextKind()
    kind = kind_of(some[0]) if len(some) == 1 else _tagged(some)
    if len(some) == len(members):
        return kind
    return NumberKind(kind.whole, kind.limits, nullable=True) if isinstance(kind, NumberKind) else NullableKind(kind)


def _tagged(documents: Sequence[type[Document]]) -> OneOfKind:
    return OneOfKind("kind", {kind: cls for cls in documents for kind in get_args(get_type_hints(cls)["kind"])})
