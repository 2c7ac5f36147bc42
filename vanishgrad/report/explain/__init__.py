"""An explanation shown: a document, and from it a passage for each section."""
