r"""The text of a certificate in Coq: a fixed skeleton about literals, which can be read back from it.

A file is accepted only if it is, byte for byte, what its own literals and the skeleton make: so nothing in it but
numbers comes from whoever wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from vanishgrad.certificates.formal.methods import HALVINGS, METHODS, PHI, Kind, Value
from vanishgrad.errors import VanishgradError

MAX_SIZE = 100_000
"""No size and no number of digits is larger."""
_HEAD = re.compile(r"\(\* vanishgrad certificate: (\w+) (\w+), \d+ units\.")
_PACKED = re.compile(r"0x1([0-9a-f]*)")


@dataclass(frozen=True, eq=False)
class CoqSource:
    """What a file says: its method, the activation that it speaks of, and its literals."""

    method: str
    activation: str
    literals: Mapping[str, Value]

    @property
    def text(self) -> str:
        """The file."""
        method = METHODS[self.method]
        places = {"literals": self._definitions(), "after": _truth(method.reset == "after")}
        places |= {"resets": _truth(method.reset != "none"), "keeps": _truth(method.keep == "old")}
        places |= _activation_places(self.activation)
        body = re.sub(r"@(\w+)@", lambda match: places[match[1]], _skeleton(method.skeleton))
        return f"{self._head()}\n{body}"

    def number(self, name: str) -> int:
        """Return a literal that is one number."""
        value = self.literals[name]
        assert isinstance(value, int)
        return value

    def _head(self) -> str:
        return (
            f"(* vanishgrad certificate: {self.method} {self.activation}, {self.literals['n']} units.\n"
            f"   The claim is [vanishes]; C is about {self.number('c') / 2 ** self.number('f'):.6g}, "
            f"rho {self.number('r') / 2 ** self.number('e'):.9g}.\n"
            "   What Coq checks is about the numbers below; that they are the weights of a file is for\n"
            "   vanishgrad certify --check THIS_FILE WEIGHTS to say. *)"
        )

    def _definitions(self) -> str:
        kinds = METHODS[self.method].literals
        width = self.number("w")
        return "\n".join(_definition(name, kind, self.literals[name], width) for name, kind in kinds.items())


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _activation_places(activation: str) -> dict[str, str]:
    phi, ramp = PHI[activation], activation == "relu"
    return {
        "phi": phi,
        "halvings": str(HALVINGS[activation]),
        "where": "off_zero" if ramp else "everywhere",
        "everywhere": "" if ramp else " (fun _ _ _ _ => I)",
        "smooth": "smooth_run n W ramp off_zero u s T (h y) ->\n  " if ramp else "",
    }


@cache
def _skeleton(method: str) -> str:
    return (files(__package__) / "skeletons" / f"{method}.txt").read_text(encoding="utf-8")


def _definition(name: str, kind: Kind, value: Value, width: int) -> str:
    return f"Definition {name} : {kind} := {_written(kind, value, width)}."


def _written(kind: Kind, value: Any, width: int) -> str:
    if kind == "nat":
        return f"{value}%nat"
    if kind == "Z":
        return f"({value:#x})%Z"
    if kind == "list Z":
        return f"row w {_packed(value, width)}%packed"
    return "map (row w) [\n" + ";\n".join(_packed(each, width) for each in value) + "]%packed"


def _packed(values: Sequence[int], width: int) -> str:
    """Return integers below 8·16^(width - 1) in size as one hexadecimal number after a leading 1."""
    bias = 8 << 4 * (width - 1)
    return "0x1" + "".join(f"{value + bias:0{width}x}" for value in values)


def digits(values: Iterable[int]) -> int:
    """Return how many hexadecimal digits each of some integers needs when packed."""
    return max((abs(value).bit_length() for value in values), default=0) // 4 + 1


def parse_source(text: str, name: str) -> CoqSource:
    """Return what a file says.

    Raises
    ------
    VanishgradError
        If the file is not what its own literals make of a skeleton.
    """
    head = _HEAD.match(text)
    if head is None or head[1] not in METHODS or head[2] not in PHI:
        raise VanishgradError(
            f"expected a certificate in Coq in {name}, got another file; try what vanishgrad certify --coq wrote"
        )
    try:
        source = CoqSource(head[1], head[2], _read(METHODS[head[1]].literals, text))
        canonical = source.text
    except (ValueError, KeyError, IndexError, OverflowError, TypeError) as error:
        raise Altered(str(error)) from None
    if canonical != text:
        raise Altered(f"line {_first_difference(canonical, text)} is not what the emitter writes")
    return source


class Altered(Exception):
    """The file is not what its own literals make of the skeleton."""


def _read(kinds: Mapping[str, Kind], text: str) -> dict[str, Value]:
    literals: dict[str, Value] = {}
    for name, kind in kinds.items():
        literal = _literal(name, kind, text)
        if kind == "nat":
            literals[name] = _natural(literal.removesuffix("%nat"), name)
        elif kind == "Z":
            literals[name] = int(literal.removesuffix("%Z").strip("()"), 16)
        else:
            rows = [_unpacked(each, literals["w"]) for each in _PACKED.findall(literal)]
            literals[name] = rows[0] if kind == "list Z" else rows
    return literals


def _natural(text: str, name: str) -> int:
    value = int(text)
    if not 0 <= value <= MAX_SIZE:
        raise ValueError(f"{name} is not a number up to {MAX_SIZE}")
    return value


def _literal(name: str, kind: Kind, text: str) -> str:
    opening = f"\nDefinition {name} : {kind} := "
    start = text.find(opening)
    end = text.find(".\n", start + 1)
    if start < 0 or end < 0:
        raise ValueError(f"there is no literal {name}")
    return text[start + len(opening) : end]


def _unpacked(text: str, width: Any) -> list[int]:
    bias = 8 << 4 * (width - 1)
    return [int(text[place : place + width], 16) - bias for place in range(0, len(text), width)]


def _first_difference(expected: str, text: str) -> int:
    lines = zip(expected.splitlines(), text.splitlines(), strict=False)
    return next((number for number, (one, other) in enumerate(lines, 1) if one != other), 0) or len(
        min(expected.splitlines(), text.splitlines(), key=len)
    )
