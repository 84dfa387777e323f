"""The demo, the examples, the embedded server, and editors."""
