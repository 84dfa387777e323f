"""An empty module, as in 6.0.3, so that its import path works."""
