"""Following links: cascade fetch, cascade save, reload."""
