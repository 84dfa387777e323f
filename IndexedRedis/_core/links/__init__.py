"""Links: cascade fetch, cascade save, reload."""
