"""A figure of the answer as SVG or as TikZ, from one drawing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import numpy as np

from vanishgrad.formal_answer.figures import Figure

WIDTH, HEIGHT = 640.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 130.0, 14.0, 40.0
TICKS = 5
THICK_LINE = "memory"
COLOURS = {"upper": "#b4532a", "memory": "#1f5fa8", "lower": "#2e7d4f", "conveyor": "#2e7d4f", "detours": "#b4532a"}
DASHES = {"upper": "7 4", "lower": "2 3", "conveyor": "7 4", "detours": "2 3"}
LABEL_GAP = 15.0
FONTS = "system-ui, 'Noto Sans CJK SC', 'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"


@dataclass(frozen=True)
class FigureLine:
    """A curve's points in the drawing, y downwards, with its label and where that stands."""

    key: str
    label: str
    points: tuple[tuple[float, float], ...]
    label_y: float


@dataclass(frozen=True)
class Drawing:
    """Curves, and ticks as (place, text) on both axes."""

    lines: tuple[FigureLine, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    x_label: str
    y_label: str


def drawing(figure: Figure, words: Mapping[str, str]) -> Drawing:
    """Return a figure laid out on the canvas, its labels at the ends of its curves."""
    steps = len(next(iter(figure.series.values()))) - 1
    finite = np.concatenate([values[np.isfinite(values)] for values in figure.series.values()])
    low, high, y_ticks = _axis(float(finite.min()), float(finite.max()))

    def x(lag: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * lag / steps

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)

    curves = {
        key: tuple((x(lag), y(value)) for lag, value in enumerate(values.tolist()) if math.isfinite(value))
        for key, values in figure.series.items()
    }
    curves = {key: points for key, points in curves.items() if points}
    heights = _apart({key: points[-1][1] for key, points in curves.items()})
    lines = tuple(FigureLine(key, words["series_" + key], points, heights[key]) for key, points in curves.items())
    lags = np.unique(np.linspace(0, steps, TICKS + 1).astype(int)).tolist()
    return Drawing(
        lines, tuple((x(lag), str(lag)) for lag in lags), tuple((y(value), f"{value:g}") for value in y_ticks),
        words["figure_lag"], words["figure_norm"],
    )  # fmt: skip


def _axis(low: float, high: float) -> tuple[float, float, list[float]]:
    """Return rounded ends and ticks that hold an interval."""
    raw = max(high - low, 1e-3) / TICKS
    unit = 10 ** math.floor(math.log10(raw))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= raw)
    first, last = math.floor(low / step), math.ceil(high / step)
    return first * step, last * step, [round(k * step, 10) + 0.0 for k in range(first, last + 1)]


def _apart(heights: Mapping[str, float]) -> dict[str, float]:
    """Return heights moved so that no two labels touch."""
    placed: dict[str, float] = {}
    lowest = -math.inf
    for key, height in sorted(heights.items(), key=lambda item: item[1]):
        lowest = placed[key] = max(height, lowest + LABEL_GAP)
    excess = lowest - (HEIGHT - BOTTOM)
    return {key: height - max(excess, 0) for key, height in placed.items()}


def svg(picture: Drawing, title: str, fonts: str = FONTS) -> str:
    """Return a drawing as inline SVG; text and axes take the colour of the page."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" '
        f'aria-label="{escape(title)}" font-family="{fonts}" font-size="13" fill="currentColor">'
    ]
    for place, text in picture.y_ticks:
        parts.append(f'<path d="M{LEFT:g} {place:.1f}H{right:g}" stroke="currentColor" stroke-opacity=".18"/>')
        parts.append(f'<text x="{LEFT - 6:g}" y="{place + 4:.1f}" text-anchor="end">{_minus(text)}</text>')
    for place, text in picture.x_ticks:
        parts.append(f'<text x="{place:.1f}" y="{bottom + 16:g}" text-anchor="middle">{text}</text>')
    parts.append(f'<path d="M{LEFT:g} {TOP:g}V{bottom:g}H{right:g}" fill="none" stroke="currentColor"/>')
    parts.append(
        f'<text x="{(LEFT + right) / 2:g}" y="{HEIGHT - 6:g}" text-anchor="middle">{escape(picture.x_label)}</text>'
    )
    middle = f"translate(13 {(TOP + bottom) / 2:g}) rotate(-90)"
    parts.append(f'<text transform="{middle}" text-anchor="middle">{escape(picture.y_label)}</text>')
    parts.extend(_svg_line(line) for line in picture.lines)
    return "".join([*parts, "</svg>"])


def _svg_line(line: FigureLine) -> str:
    colour, dash = COLOURS[line.key], DASHES.get(line.key)
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in line.points)
    style = f'stroke="{colour}" stroke-width="{3 if line.key == THICK_LINE else 1.8}"' + (
        f' stroke-dasharray="{dash}"' if dash else ""
    )
    label = f'<text x="{WIDTH - RIGHT + 8:g}" y="{line.label_y + 4:.1f}" fill="{colour}">{escape(line.label)}</text>'
    return f'<path d="{path}" fill="none" {style}/>{label}'


def _minus(text: str) -> str:
    return text.replace("-", "−")


def tikz(picture: Drawing) -> str:
    """Return a drawing as a tikzpicture."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    lines = [r"\begin{tikzpicture}[x=0.024cm,y=-0.024cm,font=\footnotesize]"]
    for place, text in picture.y_ticks:
        lines.append(rf"\draw[black!15] ({LEFT:g},{place:.1f}) -- ({right:g},{place:.1f});")
        lines.append(rf"\node[left] at ({LEFT:g},{place:.1f}) {{${text}$}};")
    for place, text in picture.x_ticks:
        lines.append(rf"\node[below] at ({place:.1f},{bottom:g}) {{{text}}};")
    lines.append(rf"\draw ({LEFT:g},{TOP:g}) -- ({LEFT:g},{bottom:g}) -- ({right:g},{bottom:g});")
    lines.append(rf"\node[below] at ({(LEFT + right) / 2:g},{bottom + 14:g}) {{{picture.x_label}}};")
    lines.append(rf"\node[rotate=90] at (6,{(TOP + bottom) / 2:g}) {{{picture.y_label}}};")
    lines.extend(_tikz_line(line) for line in picture.lines)
    return "\n".join([*lines, r"\end{tikzpicture}"])


def _tikz_line(line: FigureLine) -> str:
    style = (
        "very thick"
        if line.key == THICK_LINE
        else "thick, dashed"
        if DASHES[line.key].startswith("7")
        else "thick, dotted"
    )
    colour = COLOURS[line.key][1:].upper()
    path = " -- ".join(f"({x:.1f},{y:.1f})" for x, y in line.points)
    define = rf"\definecolor{{c{colour}}}{{HTML}}{{{colour}}}"
    label = rf"\node[right,c{colour}] at ({WIDTH - RIGHT + 4:g},{line.label_y:.1f}) {{{line.label}}};"
    return rf"{define}\draw[{style},c{colour}] {path};" + "\n" + label
