"""The pages that benchmarks read from SQL."""
