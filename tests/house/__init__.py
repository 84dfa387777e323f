"""The shape of the code: imports, names, scripts, and what it uses of redis-py."""
