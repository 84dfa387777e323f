"""What an object in memory remembers: its state, attributes, link graph and changes."""
