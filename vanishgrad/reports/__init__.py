"""A result shown: JSON, table, CSV, Markdown, figure."""
