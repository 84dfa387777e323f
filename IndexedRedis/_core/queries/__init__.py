"""Turn filters into set algebra, and read objects: by pk, by filter, or one of a result."""
