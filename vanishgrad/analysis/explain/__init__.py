"""Why the gradient vanishes, and what would change it."""
