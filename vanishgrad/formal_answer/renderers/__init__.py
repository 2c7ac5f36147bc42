"""The formal answer as Markdown, HTML, LaTeX and PDF, all from one Markdown text; as JSON; on a terminal."""
