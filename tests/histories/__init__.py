"""Random histories, and judges of what is stored in the end."""
