"""No recurrent layer: what a file holds instead, and what to try."""

from __future__ import annotations

import re

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats.main_file import SHARD
from vanishgrad.weights.tensors import TensorFile, shown

CONVOLUTIONAL = re.compile(r"(?:^|[./_])(?:hh|recurrent)[./_](?:kernel|weight)|[Cc]onv\w*(?:lstm|LSTM|gru|GRU)")
"""Names of the recurrent weights of a ConvLSTM and its like; they have more than two axes."""
CONCATENATED = re.compile(
    r"(?:.*[./])?(?:(?:i2h|in2hidden|input_to_hidden)|[Ww]_?[ifogczru]|(?:forget|input|update|reset)_?gate)(?:\.weight)?"
)
"""Names of matrices that act on the input and the state joined."""


def whole_checkpoint(path: str, usual: str) -> str:
    """Return what to try where tensors are not in a file: the checkpoint that it is a shard of, or what is usual."""
    match = SHARD.fullmatch(path)
    if not match:
        return usual
    return f"{shown(match['stem'] + '.' + match['ending'] + '.index.json', 200)} or its folder, this is one shard of it"


def nothing_found(file: TensorFile) -> VanishgradError:
    """Return the error for a file without a recurrent layer, which says what is in it."""
    for tensor in file.tensors.values():
        if CONCATENATED.fullmatch(tensor.name) and len(tensor.shape) == 2 and 1 < tensor.shape[0] < tensor.shape[1]:
            return VanishgradError(
                f"expected a recurrent layer in {file.path}, got {tensor}, which looks like one matrix for x and h "
                "joined; which stands first the file does not say: try saving its two parts apart, as W_xh and W_hh"
            )
        if len(tensor.shape) > 2 and CONVOLUTIONAL.search(tensor.name):
            return VanishgradError(
                f"expected a recurrent layer in {file.path}, got {tensor}, a convolutional one; "
                "its state is a field: try a model whose recurrent layer is dense"
            )
    some = ", ".join(str(tensor) for tensor in list(file.tensors.values())[:4])
    count = len(file.tensors)
    more = ", …" if count > 4 else ""
    holds = f"{count} tensor{'s' * (count != 1)} ({some}{more})" if some else "no tensors"
    usual = "a file with names such as weight_hh_l0, recurrent_kernel, hi/kernel or w_hh"
    return VanishgradError(
        f"expected a recurrent layer in {file.path}, got {holds}; try {whole_checkpoint(file.path, usual)}"
    )
