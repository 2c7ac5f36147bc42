"""What many steps do to a perturbation."""
