"""Time a page of one artist's tracks, from SQL and from a mirror of it in Redis."""
