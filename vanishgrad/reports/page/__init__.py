"""Page about a report: one HTML file with charts, in both languages, that asks the network for nothing."""
