"""Keys of rows: how they are read, and the pks that belong to them."""
