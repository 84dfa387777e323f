"""Links: what they take, fetch, save and filter."""
