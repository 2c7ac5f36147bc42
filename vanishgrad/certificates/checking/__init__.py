"""The checker: exact integers and rationals, no code of the prover's."""
