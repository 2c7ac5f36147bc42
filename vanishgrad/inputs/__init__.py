"""What drives a cell: noise, files, token ids, lengths."""
