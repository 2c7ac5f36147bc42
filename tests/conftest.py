"""What every test is given: a seeded generator, and hypothesis without a clock or a memory of former runs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings

collect_ignore_glob = ["weights/fixtures/*"]
"""Scripts that need the frameworks whose files they write; they are no tests, and hold no doctests."""

settings.register_profile("vanishgrad", deadline=None, derandomize=True, database=None)
settings.load_profile("vanishgrad")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
