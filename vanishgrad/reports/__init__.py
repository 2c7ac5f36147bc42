"""Reports of results: JSON, table, CSV, Markdown, figure."""
