"""Definitions of models, objects and lists."""
