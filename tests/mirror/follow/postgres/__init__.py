"""A mirror that follows the log of PostgreSQL."""
