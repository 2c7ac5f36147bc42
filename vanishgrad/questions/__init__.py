"""Questions: what each command measures, its JSON, its words and its pictures."""
