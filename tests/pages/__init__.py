"""What the documentation shows: code, commands, pictures."""
