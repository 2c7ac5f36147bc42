"""What one recurrent step is, and its exact Jacobian."""

from vanishgrad.cells.activations import ACTIVATIONS, Activation
from vanishgrad.cells.gru import GRU
from vanishgrad.cells.linearisation import Linearisation, Outer, Split
from vanishgrad.cells.lstm import LSTM
from vanishgrad.cells.path import Path, Trajectory
from vanishgrad.cells.protocol import Cell, Part
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
