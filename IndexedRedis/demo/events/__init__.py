"""What happens while clients read: another run of the mirror, live commits, a killed primary."""
