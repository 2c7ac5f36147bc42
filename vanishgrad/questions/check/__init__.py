"""`check`: does the gradient reach far enough? A report, judged for CI."""
