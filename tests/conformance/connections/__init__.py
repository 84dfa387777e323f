"""Answers that are remembered, protocols, and trips."""
