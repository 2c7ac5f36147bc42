"""The same commands by this checkout and by another one, in turn: ratios of processor time, which a busy machine keeps.

Each is a process of its own, and the least of its times counts. It is the user time of all of a command's processes
together: what work there is, not how it is spread over cores.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

COMMANDS = (
    "compare --steps 100",
    "compare lstm --trials 1 --hidden 256 --steps 100 --json",
    "compare lstm --trials 1 --hidden 256 --steps 1000",
    "compare lstm --trials 1 --hidden 256 --steps 1000 --json",
    "compare lstm --trials 1 --hidden 512 --steps 100 --json",
    "explain lstm@keras",
)
HERE = Path(__file__).parents[2]


def against_version(base: str, rounds: int, largest: int) -> Iterator[dict[str, object]]:
    """Yield for each command the user time of the checkout in `base` and of this one, one BLAS thread each."""
    for command in COMMANDS:
        if int(command.partition("--hidden ")[2].partition(" ")[0] or 64) > largest:
            continue
        least: dict[str, float] = {}
        for _ in range(rounds):
            for name, folder in ((base, Path(base).resolve()), ("here", HERE)):
                least[name] = min(least.get(name, float("inf")), _user_seconds(folder, command))
        yield {"kind": "versions", "command": command, "seconds": least}


def _user_seconds(checkout: Path, command: str) -> float:
    """Return the user time of a command and of all processes that it has waited for."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "vanishgrad", *command.split()], env=environment, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"expected {command} to succeed in {checkout}, got status {process.returncode}")
    return usage.ru_utime
