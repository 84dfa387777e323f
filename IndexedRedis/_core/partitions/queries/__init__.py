"""What a query reads of a model with partitions: answers of all of them, merged."""
