"""CI's steps by name, each in an environment of its own: ``nox -s tests``, ``nox -l`` lists them."""

from __future__ import annotations

import nox

nox.options.sessions = ["lint", "tests"]


@nox.session
def lint(session: nox.Session) -> None:
    """Style, format and types."""
    session.install("-e", ".[test,lint]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")


@nox.session(python=["3.10", "3.13"])
def tests(session: nox.Session) -> None:
    """The ordinary tests, on the oldest and newest Python."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", "-n", "auto")


@nox.session
def lowest(session: nox.Session) -> None:
    """The ordinary tests with the lowest versions that setup.cfg allows."""
    session.install("-e", ".[test]", "-c", "tests/lowest.txt")
    session.run("python", "-m", "pytest", "-n", "auto")


@nox.session
def slow(session: nox.Session) -> None:
    """Heavy cases."""
    session.install("-e", ".[test,notebooks,sweep]", "h5netcdf", "pyarrow")
    session.run(
        "python", "-m", "pytest", "-n", "auto", "-m", "slow",
        "--ignore=tests/questions/test_spoilt_reports.py",
    )  # fmt: skip


@nox.session
def coq(session: nox.Session) -> None:
    """Proofs: needs coqc."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", "-m", "coq")


@nox.session
def browser(session: nox.Session) -> None:
    """Pages in a browser: needs Chromium and its driver."""
    session.install("-e", ".[test]", "selenium")
    session.run("python", "-m", "pytest", "-m", "browser")


@nox.session
def torch(session: nox.Session) -> None:
    """PyTorch's autodiff."""
    session.install(
        "-e",
        ".[test,notebooks]",
        "torch==2.13.0",
        "array-api-compat",
        "onnxruntime",
        "tensorboard",
        "keras==3.15.*",
        "lightning",
        "transformers",
        "accelerate",
    )
    session.run("python", "-m", "pytest", "-n", "auto", "-m", "torch")


@nox.session
def docs(session: nox.Session) -> None:
    """The docs site."""
    session.install("-e", ".[docs]")
    session.run("mkdocs", "build", "--strict", "--quiet")
