"""Types of JSON values: each checks a value that was read and describes itself in JSON Schema (draft 2020-12)."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from vanishgrad.errors import VanishgradError
from vanishgrad.reports.documents.declaration import Schema

ANEW = "try to make the report anew with --json"
LONGEST_QUOTE = 40
"""Characters of a value that a message quotes."""


def refuse(expected: str, path: str, value: object) -> NoReturn:
    """Raise what is wrong with the value at a path: ``expected a number as models[0].steps, got 'x'; try …``."""
    text = "null" if value is None else repr(value)
    quoted = text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 4]} ..."
    raise VanishgradError(f"expected {expected} as {path or 'the report'}, got {quoted}; {ANEW}")


class Kind(ABC):
    """A type of JSON value."""

    @property
    @abstractmethod
    def one(self) -> str:
        """What messages call a value of it."""

    @property
    @abstractmethod
    def many(self) -> str:
        """What messages call several."""

    @abstractmethod
    def read(self, value: Any, path: str) -> Any:
        """Return a JSON value as Python's, or raise VanishgradError with the path to what is wrong."""

    @abstractmethod
    def schema(self) -> Schema:
        """Return the JSON Schema of the values."""

    def read_all(self, values: list[Any], path: str) -> Any:
        """Return the items of a list."""
        return [self.read(value, f"{path}[{i}]") for i, value in enumerate(values)]


@dataclass(frozen=True)
class StringKind(Kind):
    """A string."""

    pattern: str | None = None
    one = "a text"
    many = "texts"

    def read(self, value: Any, path: str) -> str:
        """Return a string."""
        return value if isinstance(value, str) else refuse(self.one, path, value)

    def schema(self) -> Schema:
        """Return a string's schema, with the pattern that it has to match."""
        return {"type": "string"} | ({} if self.pattern is None else {"pattern": self.pattern})


@dataclass(frozen=True)
class BooleanKind(Kind):
    """A boolean."""

    one = "true or false"
    many = "values true or false"

    def read(self, value: Any, path: str) -> bool:
        """Return a boolean."""
        return value if isinstance(value, bool) else refuse(self.one, path, value)

    def schema(self) -> Schema:
        """Return a boolean's schema."""
        return {"type": "boolean"}


@dataclass(frozen=True)
class ChoiceKind(Kind):
    """One of some constants."""

    values: tuple[str, ...]
    many = "constants"

    @property
    def one(self) -> str:
        """The constants."""
        return " or ".join(repr(value) for value in self.values)

    def read(self, value: Any, path: str) -> str:
        """Return the constant."""
        return value if isinstance(value, str) and value in self.values else refuse(self.one, path, value)

    def schema(self) -> Schema:
        """Return the constants."""
        return {"enum": list(self.values)}


@dataclass(frozen=True)
class NumberKind(Kind):
    """A finite number within limits, whole or not; null where it may be absent."""

    whole: bool
    limits: Mapping[str, float] = field(default_factory=dict)
    nullable: bool = False

    @property
    def one(self) -> str:
        """What a single one is called."""
        return f"a {self._name}{self._range}{' or null' if self.nullable else ''}"

    @property
    def many(self) -> str:
        """What several are called."""
        return f"{self._name}s{self._range}{' or null' if self.nullable else ''}"

    @property
    def _name(self) -> str:
        return "whole number" if self.whole else "number"

    @property
    def _range(self) -> str:
        words = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "up to", "exclusiveMaximum": "below"}
        return "".join(f" {words[limit]} {value:g}" for limit, value in self.limits.items())

    def read(self, value: Any, path: str) -> Any:
        """Return a number, or None."""
        if value is None and self.nullable:
            return None
        return value if self._all_within([value]) else refuse(self.one, path, value)

    def read_all(self, values: list[Any], path: str) -> list[Any]:
        """Return the list itself: of a million numbers no copy is made."""
        present = [value for value in values if value is not None] if self.nullable else values
        return values if self._all_within(present) else super().read_all(values, path)

    def _all_within(self, values: list[Any]) -> bool:
        if not set(map(type, values)) <= ({int} if self.whole else {int, float}):
            return False
        try:
            if not all(map(math.isfinite, values)):
                return False
        except OverflowError:
            return False
        smallest, largest = (min(values), max(values)) if values else (0, 0)
        limits = self.limits if values else {}
        return (
            smallest >= limits.get("minimum", -math.inf)
            and smallest > limits.get("exclusiveMinimum", -math.inf)
            and largest <= limits.get("maximum", math.inf)
            and largest < limits.get("exclusiveMaximum", math.inf)
        )

    def schema(self) -> Schema:
        """Return a number's schema."""
        number = {"type": "integer" if self.whole else "number", **self.limits}
        return {"anyOf": [number, {"type": "null"}]} if self.nullable else number


@dataclass(frozen=True)
class NumberOrTextKind(Kind):
    """A finite number, or a string."""

    one = "a number or a text"
    many = "numbers or texts"

    def read(self, value: Any, path: str) -> Any:
        """Return either."""
        return value if isinstance(value, str) else NumberKind(whole=False).read(value, path)

    def schema(self) -> Schema:
        """Return the schema of both."""
        return {"type": ["number", "string"]}


@dataclass(frozen=True)
class NullableKind(Kind):
    """Another type, or null."""

    kind: Kind

    @property
    def one(self) -> str:
        """What a single one is called."""
        return f"{self.kind.one} or null"

    @property
    def many(self) -> str:
        """What several are called."""
        return f"{self.kind.many} or null"

    def read(self, value: Any, path: str) -> Any:
        """Return None, or the value."""
        return None if value is None else self.kind.read(value, path)

    def schema(self) -> Schema:
        """Return either."""
        return {"anyOf": [self.kind.schema(), {"type": "null"}]}


@dataclass(frozen=True)
class ListKind(Kind):
    """A list of one type."""

    item: Kind
    many = "lists"

    @property
    def one(self) -> str:
        """What a single one is called."""
        return f"a list of {self.item.many}"

    def read(self, value: Any, path: str) -> Any:
        """Return a list."""
        return self.item.read_all(value, path) if isinstance(value, list) else refuse(self.one, path, value)

    def schema(self) -> Schema:
        """Return a list's schema."""
        return {"type": "array", "items": self.item.schema()}


@dataclass(frozen=True)
class MappingKind(Kind):
    """An object whose members have one type; their names are data, unless they are told."""

    value: Kind
    names: tuple[str, ...] = ()
    many = "objects"

    @property
    def one(self) -> str:
        """What a single one is called."""
        return f"an object of {', '.join(self.names) if self.names else self.value.many}"

    def read(self, value: Any, path: str) -> dict[str, Any]:
        """Return a dictionary."""
        if not isinstance(value, dict) or (self.names and set(value) != set(self.names)):
            refuse(self.one, path, value)
        return {name: self.value.read(value[name], member_path(path, name)) for name in self.names or value}

    def schema(self) -> Schema:
        """Return an object's schema."""
        if not self.names:
            return {"type": "object", "additionalProperties": self.value.schema()}
        members = {name: self.value.schema() for name in self.names}
        return {
            "type": "object", "properties": members, "required": list(self.names), "additionalProperties": False
        }  # fmt: skip


@dataclass(frozen=True)
class DescribedKind(Kind):
    """Another type with the sentence that says what the value is."""

    kind: Kind
    sentence: str

    @property
    def one(self) -> str:
        """What a single one is called."""
        return self.kind.one

    @property
    def many(self) -> str:
        """What several are called."""
        return self.kind.many

    def read(self, value: Any, path: str) -> Any:
        """Return the value."""
        return self.kind.read(value, path)

    def schema(self) -> Schema:
        """Return the schema with its sentence."""
        return {**self.kind.schema(), "description": self.sentence}


def member_path(path: str, name: str) -> str:
    """Return the path to a member."""
    return f"{path}.{name}".lstrip(".")
