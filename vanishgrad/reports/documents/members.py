"""Which types of JSON value a document's annotations declare; needed to read a report and for its schema alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from vanishgrad.errors import VanishgradError
from vanishgrad.reports.documents.declaration import SECTIONS, Document, Limits, Names, Pattern, Schema
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
    StringKind,
    member_path,
    refuse,
)

D = TypeVar("D", bound=Document)
_MEMBERS: dict[type[Document], Mapping[str, tuple[Kind, bool]]] = {}


def members_of(cls: type[Document]) -> Mapping[str, tuple[Kind, bool]]:
    """Return name → type of a document's members, and whether one has to be there; worked out once."""
    if cls not in _MEMBERS:
        hints = get_type_hints(cls, include_extras=True)
        declared = {name: default for name, default in cls.declared.items() if name != SECTIONS}
        _MEMBERS[cls] = {name: (kind_of(hints[name]), default is MISSING) for name, default in declared.items()}
    return _MEMBERS[cls]


def further_of(cls: type[Document]) -> Mapping[str, Kind]:
    """Return name → type of what may stand beside a document's fields."""
    return {name: NullableKind(kind_of(hint)) for name, hint in cls.further().items()}


def read_document(cls: type[D], value: Any, path: str) -> D:
    """Return the document in a JSON value; see `Document.read`."""
    if not isinstance(value, dict):
        refuse("an object", path, value)
    kinds, further = members_of(cls), further_of(cls)
    for name in value:
        if name not in kinds and name not in further:
            raise VanishgradError(f"expected no {member_path(path, name)} in the report, got one; {ANEW}")
    for name, (_, required) in kinds.items():
        if required and name not in value:
            raise VanishgradError(f"expected {member_path(path, name)} in the report, got none; {ANEW}")
    own = {name: kind.read(value[name], member_path(path, name)) for name, (kind, _) in kinds.items() if name in value}
    beside = {name: kind.read(value[name], member_path(path, name)) for name, kind in further.items() if name in value}
    document = cls(**own, **({SECTIONS: beside} if further else {}))
    flaw = document.flaw()
    return document if flaw is None else refuse(flaw, path, value)


def schema_of(cls: type[Document]) -> Schema:
    """Return the JSON Schema of a document."""
    kinds = members_of(cls)
    own = {name: kind.schema() for name, (kind, _) in kinds.items()}
    return {
        "type": "object",
        "properties": {**own, **{name: kind.schema() for name, kind in further_of(cls).items()}},
        "required": [name for name, (_, required) in kinds.items() if required],
        "additionalProperties": False,
    }


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
