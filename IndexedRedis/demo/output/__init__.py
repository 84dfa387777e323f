"""What the demo shows, on the screen and as a page."""
