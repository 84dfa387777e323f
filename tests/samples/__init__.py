"""What field types do with values, as tables."""
