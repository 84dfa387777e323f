"""One bulk writer a model at a time: locks, guarded transactions, recovery after dead ones."""
