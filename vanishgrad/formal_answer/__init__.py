"""The formal answer: theorems in two languages, each beside the numbers of actual models."""

from vanishgrad.formal_answer.answer import Answer, answer
from vanishgrad.formal_answer.subjects import AnswerRequest

__all__ = ["Answer", "AnswerRequest", "answer"]
