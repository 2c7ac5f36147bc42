"""Propagation: runs of a cell, and the products of Jacobians along them."""
