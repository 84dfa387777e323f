"""What an object in memory remembers: its state, attributes, links and changes."""
