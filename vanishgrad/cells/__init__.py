"""Recurrent cells: one step of each, with its exact Jacobian."""

from vanishgrad.cells.activations import ACTIVATIONS, Activation
from vanishgrad.cells.cell import Cell, Part
from vanishgrad.cells.gru import GRU
from vanishgrad.cells.linearisation import Linearisation, Outer, Split
from vanishgrad.cells.lstm import LSTM
from vanishgrad.cells.rnn import RNN
from vanishgrad.cells.trajectory import StoredTrajectory, Trajectory

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
    "Split",
    "StoredTrajectory",
    "Trajectory",
]
