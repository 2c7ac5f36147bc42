"""Models ready to be measured: a cell with its name, weights, input and start."""
