"""The numbers of a certificate's witness, each demanded in the form that it must have."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.checking.verdict import Refuted

MAX_LIMBS = 8


def number(holder: Mapping[str, Any], name: str) -> float:
    """Return a finite float that is not negative."""
    value = holder.get(name)
    if not isinstance(value, float) or not math.isfinite(value) or value < 0:
        raise Refuted(f"{name} is a number, not negative")
    return value


def exact(holder: Mapping[str, Any], name: str) -> Fraction:
    """Return a number as a Fraction."""
    return Fraction(number(holder, name))


def count(holder: Mapping[str, Any], name: str, most: int) -> int:
    """Return a whole number between 0 and `most`."""
    value = holder.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise Refuted(f"{name} is a whole number up to {most}")
    return value


def vector(holder: Mapping[str, Any], name: str, size: int) -> Array:
    """Return a vector of floats."""
    values = holder.get(name)
    if not isinstance(values, list) or len(values) != size or not all(isinstance(each, float) for each in values):
        raise Refuted(f"{name} has {size} numbers")
    return np.array(values, dtype=np.float64)


def positive(holder: Mapping[str, Any], name: str, size: int) -> Array:
    """Return a vector of positive floats."""
    values = vector(holder, name, size)
    if not (values > 0).all():
        raise Refuted(f"{name} > 0")
    return values


def non_negative(holder: Mapping[str, Any], name: str, size: int) -> Array:
    """Return a vector of floats that are not negative."""
    values = vector(holder, name, size)
    if not (values >= 0).all():
        raise Refuted(f"{name} ≥ 0")
    return values


def mapping(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an object."""
    value = holder.get(name)
    if not isinstance(value, dict):
        raise Refuted(f"{name} is an object")
    return value


def vectors(holder: Mapping[str, Any], name: str, size: int, most: int) -> Array:
    """Return between one and `most` vectors of finite floats, (count, size)."""
    values = holder.get(name)
    if not isinstance(values, list) or not 1 <= len(values) <= most:
        raise Refuted(f"{name} has 1 to {most} vectors")
    rows = np.array([vector({name: each}, name, size) for each in values])
    if not np.isfinite(rows).all():
        raise Refuted(f"{name} is finite")
    return rows


def limbs(holder: Mapping[str, Any], name: str, size: int) -> Array:
    """Return the float64 vectors whose exact sum is a vector of more digits."""
    return vectors(holder, name, size, MAX_LIMBS)
