"""Values and index values of each type."""
