"""Commands that run a server until they are told to stop."""
