"""Results in order, and pages of them."""
