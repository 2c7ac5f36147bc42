"""Why a gradient vanishes or explodes: one subject run once, and a section for each question put to that run."""
