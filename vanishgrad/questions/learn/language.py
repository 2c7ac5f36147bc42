"""The tutorial's sentence as a family: a country early, filler words, and at the end the language that is spoken."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.questions.learn.losses import CrossEntropy
from vanishgrad.questions.learn.tasks import Examples, Task


@dataclass(frozen=True)
class Sentences:
    """I grew up in COUNTRY … FILLERS … I speak fluent LANGUAGE.

    Attributes
    ----------
    places : dict
        Country → language.
    before, after : tuple of str
        The words around the fillers; after them comes the language.
    fillers : tuple of str
        Words that say nothing about it.
    """

    places: dict[str, str]
    before: tuple[str, ...]
    after: tuple[str, ...]
    fillers: tuple[str, ...]


SENTENCES = {
    "en": Sentences(
        {
            "France": "French", "Germany": "German", "Italy": "Italian", "Spain": "Spanish", "Japan": "Japanese",
            "China": "Chinese", "Poland": "Polish", "Turkey": "Turkish",
        },
        ("I", "grew", "up", "in"),
        ("so", "I", "speak", "fluent"),
        (
            "and", "then", "we", "played", "football", "every", "day", "with", "the", "children", "next", "door",
            "until", "it", "was", "dark", "while", "my", "mother", "read", "old", "letters", "by", "a", "window",
        ),
    ),
    "zh": Sentences(
        {
            "法国": "法语", "德国": "德语", "意大利": "意大利语", "西班牙": "西班牙语", "日本": "日语", "中国": "汉语",
            "波兰": "波兰语", "土耳其": "土耳其语",
        },
        ("我", "成长", "在"),
        ("所以", "我", "会说", "流利", "的"),
        (
            "后来", "我们", "每天", "和", "邻居", "孩子", "一起", "踢", "足球", "直到", "天黑", "母亲", "坐在",
            "窗边", "读", "旧", "信", "那时", "院子", "里", "有", "一", "棵", "大", "树",
        ),
    ),
}  # fmt: skip


class Language(Task):
    """The sentences of one language, by words or by characters; the gap: from the country's end to the answer."""

    loss = CrossEntropy()

    def __init__(self, language: str, by_characters: bool) -> None:
        self.name = f"language:{language}{',characters' if by_characters else ''}"
        self._sentences, self._by_characters = SENTENCES[language], by_characters
        self._space = " " if by_characters and language == "en" else ""
        pieces = (*self._sentences.before, *self._sentences.places, *self._sentences.after, *self._sentences.fillers)
        tokens = dict.fromkeys(token for piece in pieces for token in self._tokens(piece))
        self.vocabulary = {token: i for i, token in enumerate(tokens)}
        self.input_size, self.output_size = len(self.vocabulary), len(self._sentences.places)
        self._before, self._after = self._ids(*self._sentences.before), self._ids(*self._sentences.after)
        self._places = [self._ids(place) for place in self._sentences.places]
        self._fillers = [self._ids(filler) for filler in self._sentences.fillers]
        self.least_gap = len(self._after)

    def _tokens(self, piece: str) -> list[str]:
        return [*piece, *self._space] if self._by_characters else [piece]

    def _ids(self, *pieces: str) -> Array:
        return np.array([self.vocabulary[token] for piece in pieces for token in self._tokens(piece)])

    def draw(self, rng: np.random.Generator, gap: int, size: int) -> Examples:
        """Return sentences that end together, the first ones of shorter countries preceded by zeros."""
        steps, between = self.steps(gap), gap - self.least_gap
        places = rng.integers(len(self._places), size=size)
        fillers = rng.integers(len(self._fillers), size=(size, between))
        ids, keys = np.full((size, steps), -1), np.full(size, steps - gap)
        for row, place, chosen in zip(ids, places, fillers, strict=True):
            middle = [self._fillers[filler] for filler in chosen]
            start = np.concatenate([self._before, self._places[place]])
            row[steps - gap - len(start) : steps - gap] = start
            row[steps - gap :] = np.concatenate([*middle, self._after])[[*range(between), *range(-self.least_gap, 0)]]
        xs = np.zeros((size, steps, self.input_size))
        sentences, at = np.nonzero(ids >= 0)
        xs[sentences, at, ids[sentences, at]] = 1
        return Examples(xs, places[None], np.ones((1, size)), keys=keys)

    def text(self, xs: Array) -> str:
        """Return the sentence of one-hot vectors (T, d) as it is written, up to the language."""
        tokens = list(self.vocabulary)
        space = "" if self._by_characters or self._sentences is SENTENCES["zh"] else " "
        return space.join(tokens[x.argmax()] for x in xs if x.any())

    def steps(self, gap: int) -> int:
        """Return the length of the longest sentence."""
        return len(self._before) + max(map(len, self._places)) + gap

    def baseline(self, gap: int) -> float:
        """Return the logarithm of the number of languages."""
        return math.log(self.output_size)
