"""The public helpers: query, saver, deleter, resets, databases."""
