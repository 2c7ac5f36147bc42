"""Text on a terminal or pipe whose encoding lacks some of its characters: ASCII forms in their place."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache

SUPERSCRIPTS = dict(zip("⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹ᵀᵃᵖ", "-+0123456789Tap", strict=True))
SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₌ₐₑₕₖₗₘₙₚₛₜₓⱼ", "0123456789+-=aehklmnpstxj", strict=True))
SPARKS = dict(zip("▁▂▃▄▅▆▇█", ".:-=+*%#", strict=True))
SLOPES = {"↘": "\\", "↗": "/", "→": "->", "←": "<-", "↦": "->"}
SYMBOLS = {
    "‖": "||", "∂": "d", "∇": "grad ", "√": "sqrt ", "∏": "prod ", "⊙": "*", "·": "*", "×": "x", "±": "+/-", "∓": "-/+",
    "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "∝": "~", "∈": "in", "∞": "inf", "⪰": ">=", "…": "...", "⋯": "...",
    "−": "-", "–": "-", "½": "1/2", "ℓ": "l", "′": "'", "″": "''", "“": '"', "”": '"', "⌊": "floor(", "⌋": ")",
    "∎": "QED", "━": "-", "─": "-", "│": "|", "┃": "|", "▌": "|", "•": "*", "µ": "u", "ϱ": "rho",
    "✅": "ok", "❌": "FAIL",
    "\N{COMBINING CIRCUMFLEX ACCENT}": "^", "\N{COMBINING MACRON}": "_", "\N{COMBINING TILDE}": "~",
}  # fmt: skip
GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "eps", "η": "eta", "θ": "theta", "ι": "iota",
    "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "χ": "chi",
    "ω": "omega", "Δ": "Delta", "Σ": "Sigma",
}  # fmt: skip
WHOLE = (SUPERSCRIPTS, SUBSCRIPTS, SPARKS, SLOPES)
"""Characters that are replaced all or none: a power or a sparkline half in ASCII cannot be read."""


@contextlib.contextmanager
def encodable_streams() -> Iterator[None]:
    """Let stdout and stderr write every text: what their encoding lacks in ASCII forms, else as an escape."""
    streams = {name: getattr(sys, name) for name in ("stdout", "stderr")}
    for name, stream in streams.items():
        if isinstance(stream, io.TextIOWrapper):
            setattr(sys, name, _carrier(stream))
    try:
        yield
    finally:
        for name, stream in streams.items():
            _restore(name, stream)


def _carrier(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    if forms(stream.encoding):
        return FallbackStream(stream)
    stream.reconfigure(errors="backslashreplace")  # a file's name may hold bytes that are no text
    return stream


def _restore(name: str, stream: io.TextIOWrapper) -> None:
    replacement = getattr(sys, name)
    setattr(sys, name, stream)
    if isinstance(replacement, FallbackStream):
        with contextlib.suppress(OSError):  # the command has flushed it, and told what failed
            replacement.detach()


class FallbackStream(io.TextIOWrapper):
    """A text stream over another one's bytes, in its encoding."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._charset = stream.encoding
        # click would write UTF-8 to a stream that says it is ASCII; what comes here is ASCII by then.
        encoding = "latin-1" if ascii_fallback("é", self._charset) == r"\xe9" else self._charset
        super().__init__(
            stream.buffer, encoding, "backslashreplace", line_buffering=stream.line_buffering, write_through=True
        )

    def write(self, text: str) -> int:
        """Write a text as far as the encoding has its characters."""
        super().write(ascii_fallback(text, self._charset))
        return len(text)


def ascii_fallback(text: str, encoding: str) -> str:
    """Return a text that an encoding can carry; where a form is longer, spaces of a table's padding give way."""
    if text.isascii():
        return text
    forms_ = forms(encoding)
    if "₁" in forms_:
        text = text.replace("log₁₀", "log10")
    text = _script(text, SUPERSCRIPTS, "^", forms_, "(?:·[{0}]+)?")
    text = _script(text, SUBSCRIPTS, "_", forms_)
    if forms_:
        text = re.sub(
            f"([{re.escape(''.join(forms_))}])( *)", lambda match: _form_in_table(forms_[match[1]], match[2]), text
        )
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _script(text: str, script: Mapping[str, str], mark: str, forms_: Mapping[str, str], then: str = "") -> str:
    """Return a text with one mark before each run of small figures, where the encoding lacks some."""
    if not script.keys() & forms_.keys():
        return text
    run, table = "".join(script), str.maketrans({**script, "·": "."})
    return re.sub(f"[{run}]+{then.format(run)}", lambda match: mark + match[0].translate(table), text)


def _form_in_table(form: str, spaces: str) -> str:
    return form + spaces[: max(len(spaces) - len(form) + 1, 1)]


@lru_cache(maxsize=4)
def forms(encoding: str) -> Mapping[str, str]:
    """Return the ASCII forms of the characters that an encoding lacks."""
    single = [{character: form} for character, form in {**SYMBOLS, **GREEK}.items()]
    lacking = [group for group in (*WHOLE, *single) if not can_encode("".join(group), encoding)]
    return {character: form for group in lacking for character, form in group.items()}


def can_encode(text: str, encoding: str) -> bool:
    """Whether an encoding has every character of a text."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
