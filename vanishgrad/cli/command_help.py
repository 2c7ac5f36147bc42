"""Help pages: a command's options in groups, then two examples of it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

import click

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Model": ("hidden", "input_size", "cell", "dtype"),
    "File": (
        "layer", "embedding", "stack", "layout", "activation", "gate_activation", "reset", "keep", "gates",
        "interleaved", "forget_offset", "recurrent", "input_weight", "orthogonal_map", "ignore",
    ),
    "Run": ("steps", "trials", "seed", "input", "initial", "burn_in", "lengths", "padding", "mask", "threshold"),
    "Work": ("engine", "backend", "device", "jobs"),
    "Pictures": ("plot", "plots", "plot_folder", "font"),
    "Report": ("format_", "output", "per_trial", "save", "lang", "quiet"),
}  # fmt: skip
"""Heading → its options by parameter; a command's own stand before them all, under "Options"."""
OWN = "Options"

EXAMPLES: Mapping[str, tuple[str, str]] = {
    "compare": (
        "vanishgrad compare --steps 100",
        "vanishgrad compare lstm lstm:forget_bias=5 --plot curves.svg",
    ),
    "analyze": (
        "vanishgrad analyze model.safetensors --input batch.npy",
        "vanishgrad analyze model.pt --layer encoder --output encoder.html",
    ),
    "capture": (
        "vanishgrad capture model.onnx --input batch.npy --output run.npz",
        "vanishgrad capture model.onnx --input in.npz --tokens words.txt --output run.npz",
    ),
    "learn": (
        "vanishgrad learn rnn lstm --gaps 10,20,40",
        "vanishgrad learn lstm@chrono --task adding --plot learned.svg",
    ),
    "sweep": (
        "vanishgrad sweep rnn@gaussian:gain=0.5..2/16 --hidden 64,128 --plot phases.svg",
        "vanishgrad sweep lstm:forget_bias=0..5/11 --measure horizon --output sweep.csv",
    ),
    "inspect": (
        "vanishgrad inspect model.pt",
        "vanishgrad inspect model.h5 --layer lstm_1 --json",
    ),
    "check": (
        "vanishgrad check model.pt --horizon 50 --input batch.npy",
        "vanishgrad check report.json --baseline before.json --format github",
    ),
    "diff": (
        "vanishgrad diff before.pt after.pt --input batch.npy",
        "vanishgrad diff lstm lstm:forget_bias=5 --plot difference.svg",
    ),
    "track": (
        "vanishgrad track 'checkpoints/step_*.pt' --input batch.npy",
        "vanishgrad track watch.jsonl --plot training.svg",
    ),
    "explain": (
        "vanishgrad explain lstm --steps 100",
        "vanishgrad explain model.pt --only findings --apply remedied.npz",
    ),
    "plot": (
        "vanishgrad plot report.json --output curves.pdf",
        "vanishgrad compare --json | vanishgrad plot - --kind gates --output gates.svg",
    ),
    "answer": (
        "vanishgrad answer",
        "vanishgrad answer model.pt --lang zh --output answer.html",
    ),
    "certify": (
        "vanishgrad certify rnn@gaussian:gain=0.4 --output certificate.json",
        "vanishgrad certify --check certificate.json",
    ),
    "verify": (
        "vanishgrad verify",
        "vanishgrad verify model.pt --input batch.npy",
    ),
    "schema": (
        "vanishgrad schema compare",
        "vanishgrad schema certificate",
    ),
}
"""Command → two calls of it."""


class GroupedCommand(click.Command):
    """A command whose help has its options in `GROUPS`, and `EXAMPLES` at its end."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each group that the command has options of."""
        headings = [OWN, *GROUPS]
        own = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
        placed = [(group_of(option), option.get_help_record(ctx)) for option in own]
        placed.sort(key=lambda each: headings.index(each[0]))
        for heading, options in groupby(placed, key=lambda each: each[0]):
            records = [record for _, record in options if record is not None]
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, and what the command adds."""
        with formatter.section("Examples"):
            for example in EXAMPLES[str(self.name)]:
                formatter.write(f"{'':{formatter.current_indent}}{example}\n")
        super().format_epilog(ctx, formatter)


def group_of(option: click.Option) -> str:
    """Return the heading of an option's group."""
    return next((heading for heading, names in GROUPS.items() if option.name in names), OWN)
