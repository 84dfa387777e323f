"""Conversations, pools and routes, driven by hand."""
