"""Saving and deleting lists: few objects by one script, many in committed steps; recovery."""
