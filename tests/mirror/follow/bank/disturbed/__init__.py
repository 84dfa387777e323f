"""A bank is followed while processes, networks and schemas change."""
