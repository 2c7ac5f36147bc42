"""What only a process shows: pipes, signals, imports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

VANISHGRAD = [sys.executable, "-m", "vanishgrad"]
QUICK = ["compare", "lstm", "--hidden", "4", "--steps", "8"]
HEAVY = ("scipy", "matplotlib", "torch", "h5py", "onnx", "msgpack")


def test_closed_stdout_is_no_failure():
    command = [*VANISHGRAD, *QUICK, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(5)
        process.stdout.close()
        assert (process.wait(), process.stderr.read()) == (0, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_full_disk_behind_stdout():
    with open("/dev/full", "w") as full:
        done = subprocess.run([*VANISHGRAD, *QUICK], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert (
        done.stderr
        == "vanishgrad compare: expected to write the report, got: No space left on device; try --output FILE\n"
    )


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
@pytest.mark.parametrize(
    ("command", "status", "message"),
    {
        "stdout": ("compare rnn --hidden 4 --steps 8 >&-", 1, "expected to write the report, got: Bad file descriptor"),
        "help without stdout": ("--help >&-", 1, "expected to write the report, got: Bad file descriptor"),
        "stdin": ("plot - --output curves.svg <&-", 1, "expected a report on stdin, got: Bad file descriptor"),
        "stdin that nobody reads": ("compare rnn --hidden 4 --steps 8 --json --output r.json <&-", 0, ""),
        "stdout that nobody writes": ("compare rnn --hidden 4 --steps 8 --output r.json >&-", 0, ""),
        "stderr": ("compare rnnn 2>&-", 2, ""),
        "all three": ("compare rnnn <&- >&- 2>&-", 2, ""),
        "a full stderr": ("compare rnnn 2>/dev/full", 2, ""),
    }.values(),
)
def test_closed_streams(tmp_path, command, status, message):
    line = f"{sys.executable} -m vanishgrad {command}"
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == status
    assert (message in done.stderr) if message else done.stderr == ""
    assert done.stderr.count("\n") <= 1


def test_interrupt(tmp_path):
    command = [*VANISHGRAD, "compare", "--hidden", "256", "--steps", "5000", "--output", "report.json"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_DFL
        ),  # a background shell ignores it for its children
    )
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip() == b""
    assert list(tmp_path.iterdir()) == []


LONG = ["compare", "--hidden", "256", "--steps", "3000", "--jobs", "2", "--output", "report.json"]


def started(tmp_path) -> tuple[subprocess.Popen, list[int]]:
    """Start two long measurements side by side; return the process and its workers."""
    process = subprocess.Popen(
        [*VANISHGRAD, *LONG],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while len(workers := children(process.pid)) < 2:
        assert process.poll() is None
        time.sleep(0.02)
    time.sleep(0.5)
    return process, workers


def children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def alive(pid: int) -> bool:
    """Whether a process runs, which a dead one that nobody has waited for does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


linux = pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="needs Linux's /proc")


@linux
def test_a_killed_worker_ends_the_run_with_a_sentence(tmp_path):
    process, workers = started(tmp_path)
    os.kill(workers[0], signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors.startswith("vanishgrad compare: expected 2 processes to work side by side, got one that was killed")
    assert errors.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
    assert not any(map(alive, workers))


@linux
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_no_worker_outlives_its_parent(tmp_path, end):
    process, workers = started(tmp_path)
    process.send_signal(end)
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == -end
    time.sleep(1)
    assert not any(map(alive, workers))


@linux
@pytest.mark.slow
@pytest.mark.parametrize("tenths", range(0, 20, 2))
def test_ctrl_c_to_the_parent_alone_at_any_moment(tmp_path, tenths):
    process = subprocess.Popen(
        [*VANISHGRAD, *LONG],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    time.sleep(0.5 + tenths / 10)
    workers = children(process.pid)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGINT)  # the latter where exec of a string in an import is interrupted
    assert errors.strip() == b""
    assert not any(map(alive, workers))
    assert list(tmp_path.iterdir()) == []


def imported(*arguments: str) -> set[str]:
    program = (
        "import sys; from vanishgrad.cli import _status; status = _status(sys.argv[1:]); "
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr); sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_help_imports_click_alone():
    assert not imported("--help") & {"numpy", "rich", *HEAVY}


def test_compare_imports_neither_scipy_nor_matplotlib():
    assert not imported(*QUICK) & set(HEAVY)


def test_plot_from_a_pipe(tmp_path):
    report = subprocess.run([*VANISHGRAD, *QUICK, "--json"], capture_output=True, check=True).stdout
    command = [*VANISHGRAD, "plot", "-", "--output", "curves.png"]
    subprocess.run(command, input=report, cwd=tmp_path, check=True)
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "other"}', "[" * 200_000])
def test_plot_of_something_else(tmp_path, text):
    (tmp_path / "report.json").write_text(text)
    command = [*VANISHGRAD, "plot", "report.json", "--output", "curves.png"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("vanishgrad plot: expected a ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "curves.png").exists()


def test_verify_and_schema_in_json():
    done = subprocess.run([*VANISHGRAD, "verify", "lstm", "--hidden", "4", "--json"], capture_output=True, check=True)
    document = json.loads(done.stdout)
    assert document["passed"]
    assert {line["label"] for line in document["lines"]} == {"lstm"}
    done = subprocess.run([*VANISHGRAD, "schema", "verify"], capture_output=True, check=True)
    assert json.loads(done.stdout)["title"] == "vanishgrad verify"
