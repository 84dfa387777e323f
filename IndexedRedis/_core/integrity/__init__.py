"""Find and repair damaged data: check() and repair()."""
