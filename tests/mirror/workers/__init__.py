"""Several processes load one mirror."""
