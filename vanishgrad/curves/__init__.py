"""Decay curves of one model: the norms of its gradient by lag, from a frozen request to a frozen result."""
