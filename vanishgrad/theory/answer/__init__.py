"""The formal answer: theorems in two languages, each beside the numbers of actual models."""

from vanishgrad.theory.answer.answer import Answer, answer
from vanishgrad.theory.answer.subjects import AnswerRequest

__all__ = ["Answer", "AnswerRequest", "answer"]
