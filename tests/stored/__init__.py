"""What the database holds: bytes of 6.0.3, damage, limits and refusals."""
