"""What every test is given: a seeded generator, English, and hypothesis without a clock or a memory of former runs."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import settings

collect_ignore_glob = ["weights/fixtures/*", "questions/explain/toy_section.py"]
"""Scripts that need the frameworks whose files they write, and one that adds to a register: run, never imported."""

os.environ["LANGUAGE"] = "en"
"""Whatever the locale of who tests; subprocesses, too."""

settings.register_profile("vanishgrad", deadline=None, derandomize=True, database=None)
settings.load_profile("vanishgrad")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
