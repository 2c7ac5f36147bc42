"""Every number of the answer: hypotheses, bounds and measured values on given models, and worked examples."""
