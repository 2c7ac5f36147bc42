"""Where a cell's numbers come from: MODEL strings, random laws, files."""
