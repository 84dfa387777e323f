"""Which tests run, and for how long."""
