"""``python -m vanishgrad``."""

from vanishgrad.cli import main

main()
