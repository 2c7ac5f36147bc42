"""``python -m tests.bench``: how long the same question takes here, in PyTorch and in JAX, side by side in one run.

Contenders are run in turn, round after round; medians and ratios are printed as a table, and one JSON line per case
goes to --output. What is not installed is left out. OPENBLAS_NUM_THREADS bounds the threads of all of them.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

from tests.bench import contenders, live, phase_diagrams, recurrences, training, versions
from tests.bench.contenders import Case, Run

SECONDS = 60.0
"""No case is repeated beyond this."""
PEERS = ("torch", "jax")


def available() -> list[str]:
    """Return the peers that are installed."""
    return [name for name in PEERS if importlib.util.find_spec(name)]


def medians(runs: dict[str, Run], rounds: int, clock: Callable[[], float] = time.perf_counter) -> dict[str, float]:
    """Return each contender's median seconds over interleaved rounds, after one that is not counted."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    begin = time.perf_counter()
    for done in range(rounds + 1):
        for name, run in runs.items():
            start = clock()
            run()
            if done:
                times[name].append(clock() - start)
        if done and time.perf_counter() - begin > SECONDS:
            break
    return {name: statistics.median(each) for name, each in times.items()}


def whole_commands(rounds: int, largest: int) -> Iterator[dict[str, object]]:
    """Commands from the start of the process, beside the imports that they cannot do without."""
    for imports, command in (
        ("click", "--help"),
        ("numpy, click, rich.table", "compare --steps 100"),
        ("numpy, click, rich.table", "compare --steps 100 --json"),
    ):
        runs = {
            f"import {imports}": partial(_process, [sys.executable, "-c", f"import {imports}"]),
            "vanishgrad": partial(_process, [sys.executable, "-m", "vanishgrad", *command.split()]),
        }
        yield {"kind": "commands", "command": command, "seconds": medians(runs, max(rounds, 11))}


def against_peers(rounds: int, largest: int) -> Iterator[dict[str, object]]:
    """Warm: state only, the tool's own choice of engine."""
    cases = [Case("lstm", n, 100) for n in (64, 128, 256, 512) if n <= largest] + [
        Case("gru", 128, 100),
        Case("rnn", 128, 100),
    ]
    for case in cases:
        runs = {"vanishgrad": contenders.vanishgrad(case)}
        runs |= {name: getattr(contenders, name)(case) for name in available()}
        yield {"kind": "peers", **vars(case), "seconds": medians(runs, 1 if case.n == 512 else rounds)}


def sweeps(rounds: int, largest: int, base: str | None = None) -> Iterator[dict[str, object]]:
    """Points of a sweep beside `compare` for each of them, here and in --base, and JAX's vmap; then two workers."""
    for cell in phase_diagrams.POINTS:
        case = {"kind": "sweeps", "cell": cell, "n": phase_diagrams.N, "steps": phase_diagrams.STEPS}
        yield {**case, "seconds": phase_diagrams.seconds(base, cell, rounds)}
        yield {**case, "seconds": phase_diagrams.workers(cell, rounds)}


def from_cold(rounds: int, largest: int) -> Iterator[dict[str, object]]:
    """From the start of the process to the answer, with the peak of its memory; compilation counts here."""
    for n in (n for n in (64, 128, 256) if n <= largest):
        code = (
            "from tests.bench import contenders as c; c.{name}(c.Case('lstm', {n}, 100))(); print(c.peak_megabytes())"
        )
        commands = {name: [sys.executable, "-c", code.format(name=name, n=n)] for name in ("vanishgrad", *available())}
        command = [sys.executable, "-c", COMMAND_LINE, "compare", "lstm", "--trials", "1", "--steps", "100"]
        commands["command line"] = [*command, "--hidden", str(n)]
        commands["command line, --json"] = [*command, "--hidden", str(n), "--json"]
        megabytes = dict.fromkeys(commands, 0.0)
        runs = {name: partial(_measured_process, command, name, megabytes) for name, command in commands.items()}
        case = vars(Case("lstm", n, 100))
        yield {"kind": "cold", **case, "seconds": medians(runs, rounds), "megabytes": megabytes}


COMMAND_LINE = """
import contextlib, os, sys
from vanishgrad.__main__ import main
from tests.bench.contenders import peak_megabytes
with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.suppress(SystemExit):
    main()
print(peak_megabytes())
"""
"""The command line of its arguments, then the most memory that it had."""


def _process(command: list[str]) -> str:
    """Return what a command says, run to its end."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _measured_process(command: list[str], name: str, megabytes: dict[str, float]) -> None:
    """Run a command that says how much memory it had at most, and note it."""
    megabytes[name] = max(megabytes[name], float(_process(command)))


def long_runs(rounds: int, largest: int) -> Iterator[dict[str, object]]:
    """Rows are left out as a product grows long: beside the bare products with all rows, and ten times as long."""
    for n in (n for n in (64, 256) if n <= largest):
        case = Case("lstm", n, 1000)
        runs = {
            "vanishgrad": contenders.vanishgrad(case),
            "products": contenders.products(case),
            "three curves": contenders.vanishgrad(case, ("state", "hidden", "cell")),
            "forget_bias=1": contenders.vanishgrad(case, forget_bias=1.0),
            "three curves, forget_bias=1": contenders.vanishgrad(case, ("state", "hidden", "cell"), forget_bias=1.0),
            "T = 10000": contenders.vanishgrad(Case("lstm", n, 10000)),
        }
        yield {"kind": "long", **vars(case), "seconds": medians(runs, rounds)}


def against_products(rounds: int, largest: int) -> Iterator[dict[str, object]]:
    """State, hidden and cell with all rows, and the adaptive engine, beside the bare products of the same work."""
    curves = ("state", "hidden", "cell")
    for cell in ("lstm", "gru", "rnn"):
        for n in (n for n in (64, 128, 256, 512) if n <= largest):
            for steps in (100, 1000):
                for dtype in ("float64", "float32"):
                    for batch in (1, 8):
                        case = Case(cell, n, steps, dtype, batch)
                        if steps * batch * n**3 > 4e10:
                            continue
                        runs = {
                            "products": contenders.products(case),
                            "dense": contenders.vanishgrad(case, curves, "dense"),
                            "auto": contenders.vanishgrad(case, curves),
                        }
                        yield {"kind": "products", **vars(case), "seconds": medians(runs, rounds)}


def trainings(rounds: int, largest: int) -> Iterator[dict[str, object]]:
    """Updates of an LSTM, several seeds side by side, beside PyTorch's loop of the same number: seconds of the CPU."""
    for dtype in ("float32", "float64"):
        runs = {"vanishgrad": training.vanishgrad(dtype)}
        if "torch" in available():
            runs["torch"] = training.torch(dtype)
        case = {"cell": "lstm", "n": training.N, "steps": training.GAP, "dtype": dtype, "batch": 64}
        yield {"kind": "learn", **case, "seconds": medians(runs, rounds, time.process_time)}


def live_modules(rounds: int, largest: int) -> Iterator[dict[str, object]]:
    """A module captured beside its forward, measured beside `torch.func`, and trained under a watch beside alone."""
    if "torch" not in available():
        return
    runs = {"forward": live.forward(), "capture": live.capture()}
    yield {"kind": "live", "command": "capture", "seconds": medians(runs, max(rounds, 11))}
    runs = {"vanishgrad": live.analyze(("state",)), "torch.func": live.torch_func()}
    yield {"kind": "live", "command": "analyze, state", "seconds": medians(runs, 1, time.process_time)}
    runs = {"vanishgrad": live.analyze(), "torch.func": live.torch_func(all_curves=True)}
    yield {"kind": "live", "command": "analyze, all curves", "seconds": medians(runs, 1, time.process_time)}
    runs = {"training": live.training(False), "watched": live.training(True)}
    yield {"kind": "live", "command": "watch", "seconds": medians(runs, 1, time.process_time)}


def without_products(rounds: int, largest: int) -> Iterator[dict[str, object]]:
    """All lags of a Mamba layer beside products of its Jacobians, and of a minGRU beside reading its gates."""
    return recurrences.rows(available())


LABELS = ("command", "cell", "n", "steps", "dtype", "batch")
KINDS: dict[str, Callable[[int, int], Iterator[dict[str, object]]]] = {
    "commands": whole_commands,
    "peers": against_peers,
    "sweeps": sweeps,
    "cold": from_cold,
    "products": against_products,
    "long": long_runs,
    "learn": trainings,
    "live": live_modules,
    "recurrences": without_products,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], default=list(KINDS), help=", ".join(KINDS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--largest", type=int, default=256, help="largest hidden size; 512 takes minutes")
    parser.add_argument("--output", help="one JSON line for each case")
    parser.add_argument(
        "--base", help="checkout of another version, beside which its commands are run, or with sweeps its compare"
    )
    options = parser.parse_args()
    kinds = {**KINDS, "sweeps": partial(sweeps, base=options.base)}
    if options.base:
        kinds["versions"] = partial(versions.against_version, options.base)
    for kind in ["versions"] if options.base and options.kinds == list(KINDS) else options.kinds:
        for row in kinds[kind](options.rounds, options.largest):
            seconds: dict[str, float] = row["seconds"]  # type: ignore[assignment]
            first, *others = seconds
            ratios = "  ".join(
                f"{name} {seconds[name]:.3f} s ({seconds[name] / seconds[first]:.1f} ×)" for name in others
            )
            label = " ".join([kind, *(f"{row[name]}" for name in LABELS if name in row)])
            memory = "  ".join(f"{name} {size:.0f} MB" for name, size in row.get("megabytes", {}).items())  # type: ignore[attr-defined]
            print(f"{label:<48} {first} {seconds[first]:.3f} s  {ratios}  {memory}".rstrip(), flush=True)
            if options.output:
                with open(options.output, "a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
