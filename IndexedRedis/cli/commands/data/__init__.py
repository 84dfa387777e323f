"""Commands that keep stored data right, or carry it elsewhere."""
