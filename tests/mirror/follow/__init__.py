"""Following the log of a database."""
