"""Coq, run under a time limit in a folder where it finds the library and nothing else."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

from vanishgrad.curves.processes import cores
from vanishgrad.errors import VanishgradError
from vanishgrad.proofs.library import LOGICAL, PACKAGES, requirements, write_sources

CLASSICAL_REALS = (
    "ClassicalDedekindReals.sig_forall_dec",
    "ClassicalDedekindReals.sig_not_dec",
    "Classical_Prop.classic",
    "FunctionalExtensionality.functional_extensionality_dep",
)
"""The axioms that Coq's own real numbers rest on; nothing of the library may use another."""
_AXIOM = re.compile(r"^([A-Za-z_][\w.']*)(?=\s*:)", re.MULTILINE)


@dataclass(frozen=True)
class Ran:
    """How a run of Coq ended: None for its exit status if the time was up."""

    status: int | None
    output: str


def demand_coq(rooms: Collection[str]) -> str:
    """Return the path of coqc.

    Raises
    ------
    VanishgradError
        If it is not installed.
    """
    path = shutil.which("coqc")
    if path is None:
        packages = " ".join(dict.fromkeys(package for room in sorted(rooms) for package in PACKAGES[room]))
        raise VanishgradError(f"expected Coq on this machine, got no coqc; try apt-get install {packages}")
    return path


@contextlib.contextmanager
def compiled_library(*names: str, seconds: float = 600.0) -> Iterator[Path]:
    """Yield a fresh folder in which rooms of the library, or files with all that they require, have been compiled.

    Raises
    ------
    VanishgradError
        If Coq is not installed, or does not compile the library within the time.
    """
    demand_coq({name.partition("/")[0] for name in names})
    with tempfile.TemporaryDirectory(prefix="vanishgrad-coq-") as name:
        folder = Path(name)
        write_sources(folder, *names)
        _compile(folder, requirements(*names), time.monotonic() + seconds)
        yield folder


def _compile(folder: Path, files: Mapping[str, Collection[str]], end: float) -> None:
    """Compile files side by side, each after those that it requires."""
    sorter: TopologicalSorter[str] = TopologicalSorter(files)
    sorter.prepare()
    with ThreadPoolExecutor(cores()) as pool:
        running: dict[Future[Ran], str] = {}
        while sorter.is_active():
            for file in sorter.get_ready():
                running[pool.submit(_until, end, folder, file)] = file
            for finished in wait(running, return_when=FIRST_COMPLETED).done:
                file = running.pop(finished)
                _demand_compiled(file, finished.result())
                sorter.done(file)


def _until(end: float, folder: Path, file: str) -> Ran:
    return coqc(folder, f"{file}.v", max(1.0, end - time.monotonic()))


def _demand_compiled(file: str, ran: Ran) -> None:
    if ran.status != 0:
        raise VanishgradError(
            f"expected Coq to compile {file}.v, got {_ending(ran)}; try Coq 8.16 "
            f"({' '.join(PACKAGES[file.partition('/')[0]])})"
        )


def _ending(ran: Ran) -> str:
    lines = ran.output.strip().splitlines() or ["no message"]
    return "no end within the time" if ran.status is None else " ".join(lines[-3:])[:200]


def coqc(folder: Path, file: str, seconds: float) -> Ran:
    """Compile one file of a folder that holds the library, without the user's own settings and paths."""
    return run(["coqc", "-q", "-w", "none", "-Q", ".", LOGICAL, file], folder, seconds)


def run(command: Sequence[str], folder: Path, seconds: float) -> Ran:
    """Run one of Coq's programs; after the time it is killed with all that it has started."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COQ", "OCAML", "CAML"))}
    process = subprocess.Popen(  # noqa: S603
        command, cwd=folder, env=environment, text=True, encoding="utf-8", errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _kill(process)
        return Ran(None, process.communicate()[0])
    except BaseException:
        _kill(process)
        raise
    return Ran(process.returncode, output)


def _kill(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def axioms(output: str) -> tuple[str, ...] | None:
    """Return what the last ``Print Assumptions`` of a run printed, in order; None if there was none."""
    closed, opened = output.rfind("Closed under the global context"), output.rfind("Axioms:")
    if max(closed, opened) < 0:
        return None
    return () if closed > opened else tuple(sorted(_AXIOM.findall(output[opened + len("Axioms:") :])))
