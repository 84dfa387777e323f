"""Speed, as ratios of subjects that did the same work in the same run: python -m benchmarks."""
