"""What one recurrent step is, and its exact Jacobian."""

from vanishgrad.cells.activations import ACTIVATIONS, Activation
from vanishgrad.cells.gru import GRU
from vanishgrad.cells.lstm import LSTM
from vanishgrad.cells.protocol import Cell, Linearisation, Outer, Part, Path, Split, Trajectory
from vanishgrad.cells.rnn import RNN

__all__ = [
    "ACTIVATIONS",
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "Cell",
    "Linearisation",
    "Outer",
    "Part",
    "Path",
    "Split",
    "Trajectory",
]
