"""Forward and backward passes of training, each cell's element-wise work and matrix products as few calls."""
