"""Points that kill the process that measures them: imported by a worker before it begins."""

from __future__ import annotations

import os
import signal

from vanishgrad.questions.sweep import run

DEADLY = "gain=2.5"
measured_batch = run.measured_batch


def kill(settings, several):
    """Measure points, unless one of them is deadly."""
    if any(point.label.endswith(DEADLY) for point in several):
        os.kill(os.getpid(), signal.SIGKILL)
    return measured_batch(settings, several)


def dask_setup(worker) -> None:
    """Arm a worker of Dask."""
    run.measured_batch = kill
