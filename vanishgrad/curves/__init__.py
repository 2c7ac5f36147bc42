"""Curves: one model measured, the norms of its gradient by lag, frozen request in and frozen result out."""
