"""A model's definition, worked out once; rows to objects and back; which index sets list a row."""
