"""The tutorial's sentence as a family: a country early, filler words, and at the end the language that is spoken."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.questions.learn.losses import CrossEntropy
from vanishgrad.questions.learn.tasks import Examples, Task, one_hot


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
        self.least_gap = len(self._phrase(self._sentences.after))

    def _tokens(self, piece: str) -> list[str]:
        return [*piece, *self._space] if self._by_characters else [piece]

    def _phrase(self, pieces: tuple[str, ...]) -> list[str]:
        return [token for piece in pieces for token in self._tokens(piece)]

    def sentence(self, rng: np.random.Generator, gap: int) -> tuple[list[str], int, int]:
        """Return the tokens up to the answer, the step at which the country ends, and the language's place."""
        s = self._sentences
        place = int(rng.integers(len(s.places)))
        before, after = self._phrase((*s.before, list(s.places)[place])), self._phrase(s.after)
        fillers: list[str] = []
        while len(fillers) < gap - len(after):
            fillers += self._tokens(s.fillers[int(rng.integers(len(s.fillers)))])
        return [*before, *fillers[: gap - len(after)], *after], len(before), place

    def draw(self, rng: np.random.Generator, gap: int, size: int) -> Examples:
        """Return sentences that end together, the first ones of shorter countries preceded by zeros."""
        sentences = [self.sentence(rng, gap) for _ in range(size)]
        steps = self.steps(gap)
        xs, keys = np.zeros((size, steps, self.input_size)), np.empty(size, dtype=int)
        for b, (tokens, end, _) in enumerate(sentences):
            late = steps - len(tokens)
            xs[b, late:] = one_hot(np.array([self.vocabulary[token] for token in tokens]), self.input_size)
            keys[b] = late + end
        targets: Array = np.array([[place for _, _, place in sentences]])
        return Examples(xs, targets, np.ones((1, size)), keys=keys)

    def steps(self, gap: int) -> int:
        """Return the length of the longest sentence."""
        s = self._sentences
        return max(len(self._phrase((*s.before, place))) for place in s.places) + gap

    def baseline(self, gap: int) -> float:
        """Return the logarithm of the number of languages."""
        return math.log(self.output_size)
