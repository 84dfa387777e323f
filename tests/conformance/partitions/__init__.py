"""What models with partitions do beyond the scenarios of plain ones."""
