"""Input sequences of cells: noise, files and token ids, their lengths and masks, and initial states."""
