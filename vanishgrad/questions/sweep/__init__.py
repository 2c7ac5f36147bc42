"""Grids of MODELs and options: where in the plane of two of them the gradient vanishes, stays or explodes."""
