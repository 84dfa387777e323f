"""Import path of 6.0.3, where it was empty too."""
