"""What a query can do besides fetching objects: plain values, counts by value, walks in chunks."""
