"""The parts of reports that need no server."""
