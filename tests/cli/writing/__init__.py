"""Commands that write data, or run beside those that do."""
