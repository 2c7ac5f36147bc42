"""A pickle read as data: what it would call is written down, and nothing is called.

The pickle machine is a stack, a memo and some sixty opcodes; here the opcodes that would import or call something put
a `Call` on the stack instead. Keys are kept as pairs and never hashed, nothing is compared and nothing recurses, so
that neither depth nor cycles matter, and memory is bounded by the pickle's own length.
"""

from __future__ import annotations

import pickletools
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.pickled_calls import unusual
from vanishgrad.weights.tensors import shown

MAX_OPCODES = 2**22
"""Each builds one item at most, which takes up to 250 bytes of memory, 1 GB in all; a large model has some 10⁵."""


class Stream(Protocol):
    """What a pickle is read from; `read` returns fewer bytes at the end and never reserves what is asked in vain."""

    def read(self, count: int = ..., /) -> bytes: ...
    def readline(self) -> bytes: ...


@dataclass(frozen=True)
class Global:
    """A name that a pickle would import: ``collections.OrderedDict``."""

    name: str


@dataclass(frozen=True, eq=False)
class Persistent:
    """Something kept outside the pickle, by its identification."""

    identification: Any


@dataclass(eq=False)
class Pairs:
    """A dictionary, as its pairs."""

    pairs: list[tuple[Any, Any]] = field(default_factory=list)


@dataclass(eq=False)
class Call(Pairs):
    """What a call would have made, with what would have been done to it afterwards."""

    function: Any = None
    arguments: Any = ()
    state: Any = None
    items: list[Any] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Pickled:
    """A pickle as data, and the names of what it would have called that no file of weights needs."""

    root: Any
    calls: tuple[str, ...]


class _Mark:
    pass


class _Machine:
    """The stack and memo of one pickle."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.called: set[str] = set()

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        return self.stack.pop()

    def to_mark(self) -> list[Any]:
        """Pop what stands above the topmost mark, and the mark."""
        above: list[Any] = []
        while not isinstance(top := self.stack.pop(), _Mark):
            above.append(top)
        return above[::-1]

    def remember(self, index: int) -> None:
        self.memo[index] = self.stack[-1]

    def tuple_of(self, count: int) -> None:
        values = tuple(self.stack.pop() for _ in range(count))
        self.push(values[::-1])

    def extend(self, values: list[Any]) -> None:
        target = self.stack[-1]
        (target if isinstance(target, list) else target.items).extend(values)

    def put_pairs(self, values: list[Any]) -> None:
        if len(values) % 2:
            raise ValueError("a key without a value")
        self.stack[-1].pairs.extend(zip(values[::2], values[1::2], strict=True))

    def call(self, arguments: Any, function: Any) -> None:
        self.called.add(shown(function.name if isinstance(function, Global) else "what a call returned"))
        self.push(Call(function=function, arguments=arguments))

    def build(self, state: Any) -> None:
        if isinstance(self.stack[-1], Call):
            self.stack[-1].state = state


def _named(machine: _Machine, argument: str) -> Global:
    return Global(".".join(argument.split(" ", 1)))


def _stack_named(machine: _Machine) -> Global:
    name, module = machine.pop(), machine.pop()
    return Global(f"{module}.{name}" if isinstance(name, str) and isinstance(module, str) else "?")


def _instance(machine: _Machine, argument: str) -> None:
    machine.call(tuple(machine.to_mark()), _named(machine, argument))


def _object(machine: _Machine) -> None:
    function, *arguments = machine.to_mark()
    machine.call(tuple(arguments), function)


def _new_object_with_keywords(machine: _Machine) -> None:
    machine.pop()
    machine.call(machine.pop(), machine.pop())


def _set_pair(machine: _Machine) -> None:
    value, key = machine.pop(), machine.pop()
    machine.put_pairs([key, value])


def _dictionary(machine: _Machine) -> None:
    values = machine.to_mark()
    machine.push(Pairs())
    machine.put_pairs(values)


Step = Callable[[_Machine, Any], Any]

_PLAIN = (
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE "
    "SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8"
)

STEPS: dict[str, Step] = {
    **dict.fromkeys(_PLAIN.split(), lambda m, a: m.push(a)),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda m, a: m.push(m.memo[a])),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), lambda m, a: m.remember(a)),
    **dict.fromkeys(("PROTO", "FRAME"), lambda m, a: None),
    **dict.fromkeys(("TUPLE", "FROZENSET"), lambda m, a: m.push(tuple(m.to_mark()))),
    **dict.fromkeys(("REDUCE", "NEWOBJ"), lambda m, a: m.call(m.pop(), m.pop())),
    **dict.fromkeys(("EMPTY_LIST", "EMPTY_SET"), lambda m, a: m.push([])),
    **dict.fromkeys(("APPENDS", "ADDITEMS"), lambda m, a: m.extend(m.to_mark())),
    "MEMOIZE": lambda m, a: m.remember(len(m.memo)),
    "NONE": lambda m, a: m.push(None),
    "NEWTRUE": lambda m, a: m.push(True),
    "NEWFALSE": lambda m, a: m.push(False),
    "MARK": lambda m, a: m.push(_Mark()),
    "POP": lambda m, a: m.pop(),
    "POP_MARK": lambda m, a: m.to_mark(),
    "DUP": lambda m, a: m.push(m.stack[-1]),
    "LIST": lambda m, a: m.push(m.to_mark()),
    "APPEND": lambda m, a: m.extend([m.pop()]),
    "EMPTY_TUPLE": lambda m, a: m.push(()),
    "TUPLE1": lambda m, a: m.tuple_of(1),
    "TUPLE2": lambda m, a: m.tuple_of(2),
    "TUPLE3": lambda m, a: m.tuple_of(3),
    "EMPTY_DICT": lambda m, a: m.push(Pairs()),
    "DICT": lambda m, a: _dictionary(m),
    "SETITEM": lambda m, a: _set_pair(m),
    "SETITEMS": lambda m, a: m.put_pairs(m.to_mark()),
    "GLOBAL": lambda m, a: m.push(_named(m, a)),
    "STACK_GLOBAL": lambda m, a: m.push(_stack_named(m)),
    "BUILD": lambda m, a: m.build(m.pop()),
    "INST": _instance,
    "OBJ": lambda m, a: _object(m),
    "NEWOBJ_EX": lambda m, a: _new_object_with_keywords(m),
    "PERSID": lambda m, a: m.push(Persistent(a)),
    "BINPERSID": lambda m, a: m.push(Persistent(m.pop())),
}
"""What each opcode does to the machine; those that are missing (extension registry, buffers) are refused."""


def tree(
    stream: Stream,
    path: str,
    what: str = "tensors",
    remedy: str = "try saving model.state_dict() again with torch.save",
) -> Pickled:
    """Return the pickle that begins at the stream's position, as data; the stream then stands behind it.

    Raises
    ------
    VanishgradError
        If it is no pickle, is cut short, or uses an opcode that no file of weights has.
    """
    machine = _Machine()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # escapes in protocol 0 text
            for count, (opcode, argument, _) in enumerate(pickletools.genops(stream)):  # type: ignore[arg-type]
                if count > MAX_OPCODES:
                    raise VanishgradError(
                        f"expected a pickle of {what} with at most {MAX_OPCODES} items in {path}, got more; {remedy}"
                    )
                if opcode.name == "STOP":
                    return Pickled(machine.pop(), unusual(machine.called))
                STEPS[opcode.name](machine, argument)
    except (ValueError, KeyError, IndexError, AttributeError, TypeError, OverflowError, MemoryError, SyntaxError):
        pass
    raise VanishgradError(
        f"expected a whole pickle of {what} in {path}, got one that is damaged or of something else; {remedy}"
    )
