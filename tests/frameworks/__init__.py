"""What other frameworks do with models."""
