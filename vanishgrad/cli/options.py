"""Options that several commands share, each defined once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from vanishgrad.errors import UsageError

Command = TypeVar("Command", bound=Callable[..., Any])

FORMATS = ("table", "json", "csv", "markdown")


def together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return one decorator for several options, in the order of the help."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def whole_numbers(context: click.Context, option: click.Parameter, text: str | None) -> tuple[int, ...]:
    """Return A,B,… as whole numbers from 1 on."""
    try:
        numbers = tuple(int(each) for each in text.split(",")) if text else ()
    except ValueError:
        numbers = (0,)
    if min(numbers, default=1) < 1:
        flag = option.opts[0]
        raise UsageError(f"expected whole numbers from 1 on between commas for {flag}, got {text!r}; try {flag} 1,10")
    return numbers


RUN = together(
    click.option("--steps", type=click.IntRange(1), help="Length T.  [default: 100, or the file's length]"),
    click.option("--trials", type=click.IntRange(1), help="Independent trials.  [default: 8, or the file's sequences]"),
    click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of every random stream."),
    click.option(
        "--input",
        default="white",
        show_default=True,
        metavar="SOURCE",
        help="white[:STD], zeros, text:STRING, or a .npy (T, d) or (B, T, d), token ids, .csv, or .txt file.",
    ),
    click.option("--initial", default="zeros", show_default=True, help="Start: zeros, normal[:STD] or a .npy file."),
    click.option(
        "--burn-in",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        help="Steps before time 0, outside the product.",
    ),
    click.option("--lengths", metavar="A,B,…|FILE.npy", help="Each sequence ends at its own last step."),
    click.option("--threshold", type=float, default=1e-3, show_default=True, help="Below it the gradient is gone."),
    click.option("--dtype", type=click.Choice(["float64", "float32"]), default="float64", show_default=True),
    click.option(
        "--engine",
        type=click.Choice(["auto", "dense", "adaptive", "matrix-free"]),
        default="auto",
        show_default=True,
        help="adaptive leaves out directions too small to count; matrix-free never forms a product, and measures some "
        "lags (auto: where products would take over 1 GB). The report says which, and the error bound.",
    ),
    click.option(
        "--backend",
        type=click.Choice(["numpy", "torch", "cupy"]),
        default="numpy",
        show_default=True,
        help="The array library that runs the model and its products; norms are taken by NumPy.",
    ),
    click.option("--device", type=click.Choice(["cpu", "cuda"]), help="[default: cpu, or cuda for cupy]"),
)

OUTPUT = together(
    click.option(
        "--format", "format_", type=click.Choice(FORMATS), help="[default: by the ending of --output, or table]"
    ),
    click.option("--json", "format_", flag_value="json", help="Short for --format json."),
    click.option("--output", default="-", metavar="FILE|-", help="Where the report goes.  [default: stdout]"),
    click.option(
        "--plot", "plots", multiple=True, metavar="FILE", help="Draw the curves: .png, .svg or .pdf; repeatable."
    ),
    click.option("--plots", "plot_folder", metavar="DIR", help="Draw every kind of picture into a folder."),
    click.option("--quiet", is_flag=True, help="No progress and no warnings."),
)

HINT_NAMES = (
    "layout", "cell", "activation", "gate_activation", "reset", "gates", "forget_offset", "recurrent", "input_weight",
    "orthogonal_map", "ignore",
)  # fmt: skip
"""The readings of a file that a user may choose, as `HINTS` names them."""

HINTS = together(
    click.option("--layout", metavar="NAME", help="Gate order and orientation: pytorch, keras, onnx or flax."),
    click.option("--cell", metavar="NAME", help="rnn, lstm or gru, where names and shapes leave it open."),
    click.option("--activation", metavar="NAME", help="tanh, relu, …, where the file does not say."),
    click.option("--gate-activation", metavar="NAME", help="sigmoid, hard_sigmoid, …, where the file does not say."),
    click.option("--reset", metavar="after|before", help="The GRU's convention, where the file does not say."),
    click.option("--gates", metavar="LETTERS", help="Order of the stacked gates: fiog, or zrn, in any order."),
    click.option(
        "--forget-offset", type=float, metavar="NUMBER", help="What the model's code adds to the forget bias."
    ),
    click.option("--recurrent", metavar="NAME", help="The tensor that is the recurrent matrix."),
    click.option("--input-weight", metavar="NAME", help="The tensor that is the input matrix, beside --recurrent."),
    click.option("--orthogonal-map", metavar="NAME", help="matrix_exp, cayley or householder."),
    click.option("--ignore", multiple=True, metavar="NAME", help="Read on without this tensor or module; repeatable."),
)

LAYERS = click.option(
    "--layer", "layers", multiple=True, metavar="NAME", help="Only this layer, or all under a path; repeatable."
)

FILE = together(
    click.option("--embedding", metavar="NAME", help="A matrix of the same file through which token ids go."),
    click.option("--stack", metavar="A,B", help="Layers in the order in which they drive one another."),
)
"""How the layers of a file are driven."""

MODEL = together(
    click.option("--hidden", type=click.IntRange(1), default=64, show_default=True, help="Hidden size n."),
    click.option(
        "--input-size", type=click.IntRange(1), help="Input size d.  [default: --hidden, or the file's width]"
    ),
)
"""The sizes of a MODEL."""

JOBS = click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="Models, or trials, measured side by side.  [default: the processors]",
)
