"""Options that several commands share, each declared once; a command takes those that its request holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

import click

from vanishgrad.cells.registry import CELLS
from vanishgrad.curves.request import ENGINES
from vanishgrad.errors import UsageError
from vanishgrad.inputs.lengths import PADDINGS
from vanishgrad.languages import LANGUAGES, locale_language, set_language
from vanishgrad.models.options import DTYPES, ModelOptions, option_names
from vanishgrad.option_ranges import COUNTS
from vanishgrad.propagation.backends import DEVICES
from vanishgrad.weights.hints import flag

Command = TypeVar("Command", bound=Callable[..., Any])

FORMATS = ("table", "json", "csv", "markdown", "html")
PICTURE_FORMATS = ("png", "svg", "pdf")
PICTURES_KEY = "vanishgrad.picture_formats"


def together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return one decorator for several options, in the order of the help."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def counts(name: str) -> click.IntRange:
    """Return the type of an option that counts something."""
    return click.IntRange(*COUNTS[name])


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


def one_count(context: click.Context, option: click.Parameter, text: Any) -> Any:
    """Return a number that counts something; an axis is left for the sentence that refuses it."""
    name = option.name or ""
    return text if isinstance(text, str) and re.search(r",|\.\.", text) else counts(name).convert(text, option, context)


OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "hidden": {"type": counts("hidden"), "help": "A MODEL's hidden size n."},
    "input_size": {
        "type": counts("input_size"),
        "help": "A MODEL's input size d.  [default: --hidden, or the file's width]",
    },
    "layer": {"multiple": True, "metavar": "NAME", "help": "Only this layer, or all under a path; repeatable."},
    "embedding": {"metavar": "NAME", "help": "A matrix of the same file through which token ids go."},
    "stack": {"metavar": "A,B", "help": "Layers or modules in the order in which they drive one another."},
    "steps": {"type": counts("steps"), "help": "Length T.  [default: 100, or the file's length]"},
    "trials": {"type": counts("trials"), "help": "Independent trials.  [default: 8, or the file's sequences]"},
    "seed": {"type": counts("seed"), "help": "Seed of every random stream."},
    "input": {
        "metavar": "SOURCE",
        "help": "white[:STD], zeros, text:STRING, or a .npy (T, d) or (B, T, d), token ids, .csv, or .txt file.",
    },
    "initial": {"help": "Start: zeros, normal[:STD] or a .npy file."},
    "burn_in": {"type": counts("burn_in"), "help": "Steps before time 0, outside the product."},
    "lengths": {"metavar": "A,B,…|FILE.npy", "help": "Each sequence ends at its own last step."},
    "padding": {"type": click.Choice(PADDINGS), "help": "Where what lies outside --lengths stands in a row."},
    "mask": {
        "metavar": "FILE.npy",
        "help": "(sequences, steps) of 1, a step, and 0, a masked one: it hands the state on and sees no input.",
    },
    "threshold": {"type": float, "help": "Below it the gradient is gone."},
    "dtype": {"type": click.Choice(DTYPES)},
    "engine": {
        "type": click.Choice(ENGINES),
        "help": "adaptive leaves out directions too small to count; matrix-free never forms a product, and measures "
        "some lags (auto: where products would take over 1 GB); diagonal adds logarithms "
        "(auto: where J is diagonal). The report says which, and the error bound.",
    },
    "backend": {
        "type": click.Choice(list(DEVICES)),
        "help": "The array library that runs the model and its products; norms are taken by NumPy.",
    },
    "device": {"type": click.Choice(["cpu", "cuda"]), "help": "[default: cpu, or cuda for cupy]"},
    "layout": {"metavar": "NAME", "help": "Gate order and orientation: pytorch, keras, onnx or flax."},
    "cell": {"metavar": "NAME", "help": f"{', '.join(CELLS)}, where names and shapes leave it open."},
    "activation": {"metavar": "NAME", "help": "tanh, relu, …, where the file does not say."},
    "gate_activation": {"metavar": "NAME", "help": "sigmoid, hard_sigmoid, …, where the file does not say."},
    "reset": {"metavar": "after|before", "help": "The GRU's convention, where the file does not say."},
    "keep": {"metavar": "new|old", "help": "What a minimal gated unit's gate multiplies, where the file does not say."},
    "gates": {"metavar": "LETTERS", "help": "Order of the stacked gates: fiog, or zrn, in any order."},
    "interleaved": {"is_flag": True, "help": "The gates alternate unit by unit: i0 f0 g0 o0 i1 …"},
    "forget_offset": {"type": float, "metavar": "NUMBER", "help": "What the model's code adds to the forget bias."},
    "recurrent": {"metavar": "NAME", "help": "The tensor that is the recurrent matrix."},
    "input_weight": {"metavar": "NAME", "help": "The tensor that is the input matrix, beside --recurrent."},
    "orthogonal_map": {"metavar": "NAME", "help": "matrix_exp, cayley or householder, where the file does not say."},
    "ignore": {"multiple": True, "metavar": "NAME", "help": "Read on without this tensor or module; repeatable."},
}
"""Field of a request → its option, in the order of the help; its default is the field's."""

TRAINING: Mapping[str, Mapping[str, Any]] = {
    "task": {"metavar": "TASK", "help": "What is to be learned."},
    "gaps": {
        "callback": whole_numbers, "metavar": "A,B,…", "help": "Steps between the key and where it is needed.",
    },
    "seeds": {"type": counts("seeds"), "help": "Trainings of each model and gap."},
    "hidden": {"type": counts("hidden"), "help": "Hidden size n."},
    "batch": {"type": counts("batch"), "help": "Sequences in an update."},
    "updates": {"type": counts("updates"), "help": "The most updates."},
    "optimizer": {"type": click.Choice(["adam", "sgd"])},
    "lr": {"type": float, "help": "Learning rate."},
    "clip": {"type": float, "help": "Largest norm of a gradient; inf: none."},
    "truncation": {"type": counts("truncation"), "metavar": "N", "help": "Cut gradients into segments of N steps."},
    "seed": OPTIONS["seed"],
    "dtype": OPTIONS["dtype"],
}  # fmt: skip
"""How `learn` trains: setting → its option, in the order of the help."""


def training_options(defaults: Mapping[str, Any]) -> Callable[[Command], Command]:
    """Return a decorator for the options of `TRAINING`, with their defaults."""
    return together(*(_option(name, _shown(defaults[name]), None, TRAINING) for name in TRAINING))


OWN_CELL = "@FILE.py:NAME is a cell of your own, for which FILE.py is run; @NAME one of an installed package."
AXIS = "a number or an axis a..b/n, a..b/n/log or a,b,c."
SWEPT: Mapping[str, Mapping[str, Any]] = {
    "hidden": {"metavar": "AXIS", "help": f"Hidden size n: {AXIS}"},
    "input_size": {"metavar": "AXIS", "help": "Input size d.  [default: the hidden size]"},
    "steps": {"metavar": "AXIS", "help": "Length T."},
    "burn_in": {"metavar": "AXIS", "help": OPTIONS["burn_in"]["help"]},
    "seed": {"metavar": "AXIS", "help": OPTIONS["seed"]["help"]},
    "input": {
        "metavar": "AXIS",
        "help": "zeros, white[:STD], white:AXIS, with commas: the axis is noise. Of files of weights also files.",
    },
    "initial": {"metavar": "AXIS", "help": "Start: zeros, normal[:STD], normal:AXIS."},
    "dtype": {"metavar": "NAMES", "help": "float64, float32, or both with a comma."},
    "threshold": {"metavar": "AXIS", "help": OPTIONS["threshold"]["help"]},
    "layer": {"metavar": "NAMES", "help": "Of files of weights: only these layers, with commas."},
    "trials": {"metavar": "N", "callback": one_count, "help": "Independent trials, over which intervals are."},
    "measure": {
        "metavar": "NAMES",
        "help": "What to measure, with commas: rate, horizon, verdict, norm@LAG of the state, or of a CURVE_ as "
        "input_horizon and conveyor_rate; lyapunov, spectral_radius, keep_gate.",
    },
}
"""How `sweep` measures: setting → its option, in the order of the help."""


def sweep_options(defaults: Mapping[str, Any]) -> Callable[[Command], Command]:
    """Return a decorator for the options of `SWEPT`, with their defaults."""
    return together(*(_option(name, _shown(defaults[name]), None, SWEPT) for name in SWEPT))


def _shown(default: Any) -> Any:
    """Return a default as it would be typed."""
    return (",".join(map(str, default)) or None) if isinstance(default, tuple) else default


def request_options(
    request: type[ModelOptions], only: Collection[str] = tuple(OPTIONS), **helps: str
) -> Callable[[Command], Command]:
    """Return a decorator for the options that a request holds, or some of them; `helps` are a command's own words."""
    taken = [name for name in OPTIONS if name in option_names(request) and name in only]
    return together(*(_option(name, getattr(request, name), helps.get(name)) for name in taken))


def _option(
    name: str, default: Any, words: str | None, table: Mapping[str, Mapping[str, Any]] = OPTIONS
) -> Callable[[Command], Command]:
    attributes = {**table[name], **({"help": words} if words else {})}
    default = None if default == () else default
    return click.option(
        flag(name), name, default=default, show_default=default is not None and default is not False, **attributes
    )


def split_formats(text: str) -> tuple[list[str], list[str]]:
    """Return the formats of a report, and those of the pictures of --plots, among what --format says."""
    names = text.split(",") if text else []
    return [name for name in names if name not in PICTURE_FORMATS], [name for name in names if name in PICTURE_FORMATS]


def report_formats(context: click.Context, option: click.Parameter, text: str | None) -> str | None:
    """Return the format of the report, and keep those of pictures for `picture_formats`."""
    reports, pictures = split_formats(text or "")
    if pictures:
        context.meta[PICTURES_KEY] = pictures
    return click.Choice(FORMATS).convert(",".join(reports), option, context) if reports else None


def _completions(context: click.Context, option: click.Parameter, begun: str) -> list[str]:
    return [each for each in (*FORMATS, *PICTURE_FORMATS) if each.startswith(begun)]


def picture_formats() -> tuple[str, ...]:
    """Return the formats of the pictures of --plots that --format names; none: svg."""
    context = click.get_current_context(silent=True)
    return tuple(dict.fromkeys(context.meta.get(PICTURES_KEY, ()))) if context else ()


class _Json(click.Option):
    """``--json``: one value with ``--format``, and refused beside another one."""

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        parser.add_option(self, self.opts, dest=self.opts[0], action="store_const", const="json")

    def handle_parse_result(self, ctx: click.Context, opts: Any, args: list[str]) -> tuple[Any, list[str]]:
        reports, pictures = split_formats(opts.get(self.name) or "")
        if opts.pop(self.opts[0], None):
            if reports not in ([], ["json"]):
                raise UsageError(f"expected --json or --format {opts[self.name]}, got both; try one of them alone")
            reports = ["json"]
        if pictures:
            ctx.meta[PICTURES_KEY] = pictures
        if reports:
            opts[self.name] = ",".join(reports)
        else:
            opts.pop(self.name, None)
        return super().handle_parse_result(ctx, opts, args)


JSON = click.option(
    "--json", "format_", cls=_Json, flag_value="json", help="JSON: short for --format json, where there is one."
)


def _speak(context: click.Context, option: click.Parameter, chosen: str | None) -> None:
    set_language(chosen or locale_language())


LANG = click.option(
    "--lang",
    type=click.Choice(list(LANGUAGES)),
    callback=_speak,
    expose_value=False,
    help="Language of what people read.  [default: by the locale]",
)


def _draw_in(context: click.Context, option: click.Parameter, path: str | None) -> None:
    if path is not None:
        from vanishgrad.reports.figures.style import set_font

        set_font(path)
        context.meta[FONT_GIVEN] = True


FONT_GIVEN = "vanishgrad.font"
FONT = click.option(
    "--font",
    metavar="FILE",
    callback=_draw_in,
    expose_value=False,
    help="The font of pictures for what DejaVu Sans lacks, as Chinese.  [default: an installed one]",
)

OUTPUT = together(
    click.option(
        "--format",
        "format_",
        metavar=f"[{'|'.join(FORMATS)}]",
        callback=report_formats,
        shell_complete=_completions,
        help="With --plots also png, svg, pdf, after commas.  [default: by the ending of --output, or table]",
    ),
    JSON,
    click.option("--output", default="-", metavar="FILE|-", help="Where the report goes.  [default: stdout]"),
    click.option("--plot", "plots", multiple=True, metavar="FILE", help="Draw it: .png, .svg or .pdf; repeatable."),
    click.option("--plots", "plot_folder", metavar="DIR", help="Draw every kind of picture into a folder."),
    FONT,
    LANG,
    click.option("--quiet", is_flag=True, help="No progress and no warnings."),
)

PER_TRIAL = click.option("--per-trial", is_flag=True, help="Each trial's norms by lag, too: in JSON and CSV.")

JOBS = click.option(
    "--jobs",
    type=counts("jobs"),
    metavar="N",
    help="Models, trials or sections measured side by side.  [default: the processors]",
)
