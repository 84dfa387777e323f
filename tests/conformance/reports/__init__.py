"""check, repair, info and explain."""
