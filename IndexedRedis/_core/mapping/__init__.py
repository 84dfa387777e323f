"""A model's definition, rows to objects and back, and the index sets that list a row."""
