"""Network and parsing: what a tracker says, as records. Knows no database."""
