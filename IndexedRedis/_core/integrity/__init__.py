"""check() and repair()."""
