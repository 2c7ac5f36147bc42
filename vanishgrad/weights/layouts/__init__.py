"""Frameworks' names and gate orders: one module each. A new layout is one file and one row of `LAYOUTS`.

What a layout owes: each `Sighting` claims the tensors that its reading uses, and no others but exact copies of them;
and it names the `module` that they stand in, as the file spells it, so that whatever else is found there is either
explained or the layer refused (`accounting`). A cell that uses more tensors (norms, peepholes) claims them too and
gives each a role. Only a layout whose file says for each layer what it reads, as a graph does, has no module: it
refuses itself what it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from vanishgrad.weights.hints import Hints
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.tensors import Tensor, TensorFile

LAYOUTS = {
    "saved": re.compile("vanishgrad"),
    "onnx": re.compile("onnx"),
    "tflite": re.compile("tflite"),
    "openvino": re.compile("openvino"),
    "equinox": re.compile("equinox"),
    "recorded": re.compile("^captured$"),
    "torchrecurrent": re.compile(r"vector_u$|weight_ch$|(?:^|[./])beta$"),
    "xlstm": re.compile(r"_recurrent_kernel_$|fgate\.weight$"),
    "ncps": re.compile(r"time_a\.weight$"),
    "mingru": re.compile(r"to_hidden_and_(?:gate|f_i_gate)\.weight$"),
    "state_space": re.compile(r"nu_log$|(?:^|[./])log_step$|log_A_real$|A_log$"),
    "linear_attention": re.compile(r"A_log$|(?:^|[./])r_k$"),
    "paddle": re.compile(r"\.cell(?:_[fb]w)?\.weight_hh|_cell_\d+\.w_1"),
    "chainer": re.compile(r"lateral/W|\d/w0"),
    "torch-quantizable": re.compile(r"hgates\.weight"),
    "mlx": re.compile(r"(?:^|[./])Wh$"),
    "mxnet": re.compile(r"h2h_weight$"),
    "haiku": re.compile(r"linear(?:_1)?[./]w|w_h"),
    "pytorch": re.compile(r"weight_hh|weight_values"),
    "keras": re.compile(r"recurrent_kernel|vars[./]1$"),
    "keras1": re.compile(r"_U(?:_[irz])?$"),
    "tensorflow1": re.compile(r"_cell(?:_\d+)?[./](?:kernel|weights|gates)"),
    "flax": re.compile(r"(?:^|[./])(?:hi|hr|hf|h|dense_h)[./]kernel"),
    "per_gate": re.compile(r"(?:[ifozr]|input|forget|output|reset)(?:_\w+)?(?:\.weight|\.bias|:0)?$"),
    "plain": re.compile(r"hh|h2h|recurrent_weight|Wh|U|W"),
}
"""Layout → what occurs in some name (of a tensor or a configuration) of every file that has it; in the order of their
claims: a tensor that one has taken is not offered to the next."""


@dataclass(frozen=True)
class Sighting:
    """What looks like a recurrent layer.

    Attributes
    ----------
    name : str
    claims : tuple of str
        The tensors that the reading uses, and exact copies of them.
    module : str or None
        What the names of all tensors of its module begin with, the last separator included: ``encoder.rnn.``; empty
        for the whole file, None where the file itself says what the layer uses.
    layer : callable
        Returns the layer, or raises Unreadable with the reason.
    """

    name: str
    claims: tuple[str, ...]
    layer: Callable[[], Layer]
    module: str | None


class Layout(Protocol):
    """What a layout's module offers."""

    def sightings(self, file: TensorFile, free: Mapping[str, Tensor], hints: Hints, /) -> Iterator[Sighting]:
        """Yield what looks like a recurrent layer of this layout among the tensors still free."""


def plausible_sightings(name: str, file: TensorFile, free: Mapping[str, Tensor], hints: Hints) -> list[Sighting]:
    """Return the sightings of a layout; its module is not even imported where no name gives it away."""
    if not (hints.recurrent and name == "plain") and not any(map(LAYOUTS[name].search, [*free, *file.configuration])):
        return []
    module = cast(Layout, import_module(f"{__name__}.{name.replace('-', '_')}"))
    return list(module.sightings(file, dict(free), hints))
