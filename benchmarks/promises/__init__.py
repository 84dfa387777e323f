"""What each promise costs: ``python -m benchmarks.promises``.

Each row does the same work twice, once as the library does it and once without one promise, with
the same rows, the same packing and the same connection: what differs is the promise. The two take
turns, and what counts is the ratio of each pair: its median, and the quarter marks around it.
"""
