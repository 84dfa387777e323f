"""Connections to one server: parameters, passwords, pools and lost ones."""
