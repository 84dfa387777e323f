"""The judge of stored data, who shares no code with the library."""
