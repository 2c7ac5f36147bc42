"""Callables that a pickle asks for: arbitrary code, were the file loaded with pickle.load; here they are only named."""

from __future__ import annotations

import re
from collections.abc import Iterable

ORDINARY = re.compile(
    r"collections\.(?:OrderedDict|defaultdict)|_codecs\.encode|copyreg\._reconstructor|copy_reg\._reconstructor|"
    r"(?:builtins|__builtin__)\.(?:set|frozenset|list|dict|tuple|bytearray|complex|slice|range|object)|"
    r"pathlib\.(?:Pure)?(?:Posix|Windows)?Path|argparse\.Namespace|datetime\.(?:datetime|timedelta)|"
    r"numpy\._?core\.(?:multiarray\.(?:_reconstruct|scalar)|numeric\._frombuffer)|numpy\.(?:dtype|ndarray)|"
    r"jax\._src\.array\._reconstruct_array|jax\.array\._reconstruct_array|"
    r"torch\._(?:utils|tensor)\._rebuild\w*|torch\.(?:Size|device|ScriptObject)|torch\.nn\.parameter\.Parameter|"
    r"torch\.(?:nn\.modules|optim|distributed\.checkpoint)\.[a-z_]+\.[A-Z_]\w*|torch\.jit\._pickle\.\w+|"
    r"torch\.serialization\._get_layout|"
    r"__torch__(?:\.\w+)+"
)
"""What files of weights ask for as a rule: containers, arrays, tensors, modules of PyTorch and of TorchScript."""
MOST = 5


def unusual(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names, each once and sorted, that no file of weights needs; aliases and dots within included."""
    return tuple(sorted(name for name in set(names) if not ORDINARY.fullmatch(name)))


def sentence(path: str, calls: tuple[str, ...]) -> str:
    """Return what is said of a file whose calls were not run."""
    some = ", ".join(calls[:MOST]) + (f" and {len(calls) - MOST} more" if len(calls) > MOST else "")
    return f"{path} asks to call {some}; not run"
