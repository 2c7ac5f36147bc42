from __future__ import annotations

from typing import NamedTuple

import pytest

from vanishgrad.cli import _status


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def run(capsys):
    """Run the command line in this process."""

    def run(*arguments: str) -> Outcome:
        status = _status(list(arguments))
        return Outcome(status, *capsys.readouterr())

    return run
