"""Models that ``scaffold`` writes for schemas."""
