"""Save and delete lists: a short list by one script, a long one in committed steps; recovery."""
