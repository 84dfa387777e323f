"""Keys and values on their way from SQL."""
