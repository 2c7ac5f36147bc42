"""The registry of cells: one row for each; a new cell is one file and one row here."""

from __future__ import annotations

from dataclasses import replace

from vanishgrad.cells.cell_row import ANY_NUMBER, PUBLISHED, STANDARD_LAWS, CellRow
from vanishgrad.languages import translatable

RNN = CellRow("rnn", "vanishgrad.cells.rnn:RNN", stream=0, gates="h", candidate="h", untied=True)
LSTM = CellRow(
    "lstm",
    "vanishgrad.cells.lstm:LSTM",
    stream=1,
    gates="ifgo",
    candidate="g",
    keep="f",
    write="i",
    output="o",
    words={"i": translatable("input"), "f": translatable("forget"), "o": translatable("output")},
    parts=("h", "c"),
    cost=8,
    forms={
        "norm": {"layer": {"source": "vanishgrad.cells.layer_norm_lstm:LayerNormLSTM"}},
        "coupled": {
            "true": {
                "source": "vanishgrad.cells.coupled:CoupledLSTM",
                "gates": "fgo",
                "write": None,
                "own_names": True,
                "words": {"f": translatable("forget"), "o": translatable("output")},
            }
        },
        "projection": {
            ANY_NUMBER: {"source": "vanishgrad.cells.projected:ProjectedLSTM", "laws": ("pytorch", "chrono")}
        },
    },
    keras_keep_bias=1.0,
)
GRU = CellRow(
    "gru",
    "vanishgrad.cells.gru:GRU",
    stream=2,
    gates="rzn",
    candidate="n",
    keep="z",
    reset="r",
    words={"r": translatable("reset"), "z": translatable("keep")},
    cost=3,
    variants={"reset": ("after", "before")},
)
MGU = CellRow(
    "mgu",
    "vanishgrad.cells.mgu:MGU",
    stream=3,
    gates="fn",
    candidate="n",
    keep="f",
    words={"f": translatable("keep")},
    cost=2,
    variants={"reset": ("before", "after", "none"), "keep": ("new", "old")},
    by_shape=False,
)
PEEPHOLE = replace(
    LSTM,
    name="peephole",
    source="vanishgrad.cells.peephole:PeepholeLSTM",
    stream=4,
    forms={},
    laws=(PUBLISHED, *STANDARD_LAWS),
    by_shape=False,
    own_names=True,
)

JANET = CellRow(
    "janet",
    "vanishgrad.cells.janet:JANET",
    stream=5,
    gates="fn",
    candidate="n",
    keep="f",
    words={"f": translatable("forget")},
    cost=2,
    laws=(PUBLISHED, *STANDARD_LAWS),
    by_shape=False,
    own_names=True,
)
LIGRU = replace(
    JANET,
    name="ligru",
    source="vanishgrad.cells.ligru:LiGRU",
    stream=6,
    gates="zn",
    keep="z",
    words={"z": translatable("keep")},
    activation="relu",
)
INDRNN = CellRow(
    "indrnn",
    "vanishgrad.cells.indrnn:IndRNN",
    stream=7,
    gates="h",
    candidate="h",
    laws=(PUBLISHED,),
    by_shape=False,
    own_names=True,
)
MINGRU = CellRow(
    "mingru",
    "vanishgrad.cells.mingru:MinGRU",
    stream=8,
    gates="nz",
    candidate="n",
    keep="z",
    multiplies="new",
    words={"z": translatable("keep")},
    laws=(PUBLISHED,),
    activation=None,
    by_shape=False,
    own_names=True,
)
MINLSTM = replace(
    MINGRU,
    name="minlstm",
    source="vanishgrad.cells.mingru:MinLSTM",
    stream=9,
    gates="nfi",
    keep="f",
    write="i",
    multiplies="old",
    words={"f": translatable("forget"), "i": translatable("input")},
)
ANTISYMMETRIC = replace(
    INDRNN,
    name="antisymmetric",
    source="vanishgrad.cells.antisymmetric:AntisymmetricRNN",
    stream=10,
    numbers={"epsilon": 1.0, "gamma": 0.0},
)
CORNN = replace(
    INDRNN,
    name="cornn",
    source="vanishgrad.cells.cornn:CoRNN",
    stream=11,
    parts=("h", "c"),
    cost=4,
    numbers={"dt": 0.1, "gamma": 1.0, "epsilon": 1.0},
)
LRU = replace(
    INDRNN,
    name="lru",
    source="vanishgrad.cells.lru:LRU",
    stream=12,
    gates="ri",
    candidate="r",
    write="i",
    parts=("h", "im"),
    activation=None,
    numbers={"r_min": 0.0, "r_max": 1.0},
)
MAMBA = replace(
    LRU,
    name="mamba",
    source="vanishgrad.cells.mamba:Mamba",
    stream=13,
    gates="u",
    candidate="u",
    write=None,
    parts=("h",),
    numbers={"states": 16},
)
MAMBA2 = replace(
    MAMBA,
    name="mamba2",
    source="vanishgrad.cells.mamba2:Mamba2",
    stream=20,
    numbers={"heads": 4, "states": 16, "groups": 1},
)
DELTANET = replace(
    MAMBA,
    name="deltanet",
    source="vanishgrad.cells.delta_rule:DeltaNet",
    stream=21,
    gates="v",
    candidate="v",
    numbers={"heads": 4, "keys": 16, "reach": 1.0},
)
GATED_DELTANET = replace(DELTANET, name="gated-deltanet", source="vanishgrad.cells.delta_rule:GatedDeltaNet", stream=22)
RWKV7 = replace(
    DELTANET,
    name="rwkv7",
    source="vanishgrad.cells.rwkv7:RWKV7",
    stream=23,
    numbers={"heads": 4, "keys": 16},
)
ATTENTION = replace(
    INDRNN, name="attention", source="vanishgrad.cells.attention_head:AttentionHead", stream=24, activation=None
)

S4D = replace(LRU, name="s4d", source="vanishgrad.cells.s4d:S4D", stream=14, numbers={"states": 32})
LEM = CellRow(
    "lem",
    "vanishgrad.cells.lem:LEM",
    stream=15,
    gates="12ch",
    candidate="c",
    words={"1": translatable("step of h"), "2": translatable("step of c")},
    parts=("h", "c"),
    cost=8,
    variants={"reads": ("new", "old")},
    laws=(PUBLISHED,),
    numbers={"dt": 1.0},
    by_shape=False,
    own_names=True,
)

SLSTM = CellRow(
    "slstm",
    "vanishgrad.cells.slstm:SLSTM",
    stream=16,
    gates="ifzo",
    candidate="z",
    write="i",
    output="o",
    words={"f": translatable("forget"), "o": translatable("output")},
    parts=("h", "c", "nu"),
    cost=12,
    laws=(PUBLISHED,),
    activation=None,
    by_shape=False,
    own_names=True,
)
CFC = CellRow(
    "cfc",
    "vanishgrad.cells.cfc:CfC",
    stream=17,
    gates="v",
    candidate="v",
    cost=8,
    laws=(PUBLISHED,),
    activation=None,
    numbers={"dt": 1.0, "backbone": 128},
    by_shape=False,
    own_names=True,
)

MLSTM = replace(
    DELTANET,
    name="mlstm",
    source="vanishgrad.cells.mlstm:MLSTM",
    stream=18,
    numbers={"heads": 4, "keys": 16},
)

# fmt: off
CELLS: dict[str, CellRow] = {
    row.name: row
    for row in (
        RNN, LSTM, GRU, MGU, PEEPHOLE, JANET, LIGRU, INDRNN, MINGRU, MINLSTM, ANTISYMMETRIC, CORNN, LRU, MAMBA,
        MAMBA2, DELTANET, GATED_DELTANET, RWKV7, ATTENTION, S4D, LEM,
        SLSTM, MLSTM, CFC,
    )
}
# fmt: on
"""Name → row. A new cell is one file and one row here."""


def keep_words() -> tuple[str, ...]:
    """Return how reports call the factor that is kept, each word once."""
    return tuple(dict.fromkeys(row.keep_word for row in CELLS.values() if row.keep_word))


def gated_cells() -> tuple[str, ...]:
    """Return the names of the cells with a gate that keeps."""
    return tuple(row.name for row in CELLS.values() if row.keep)
