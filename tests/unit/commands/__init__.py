"""What goes over the wire, command by command."""
