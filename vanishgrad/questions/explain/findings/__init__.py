"""Why a net's gradient does what it does, one rule per file, and what would change it, re-computed."""
