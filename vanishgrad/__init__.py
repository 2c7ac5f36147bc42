"""How far back the gradient of a recurrent network reaches, and why."""

__version__ = "0.1.0"
