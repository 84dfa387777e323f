"""Speed, as ratios of subjects that did the same work in the same run.

``python -m benchmarks`` times operations against 6.0.3, redis-py by hand and other object mappers;
``.concurrency`` many queries at a time, ``.promises`` what each promise costs, ``.longest_wait``
how long others wait beside the command line, ``.mirror_flights`` a mirror of SQL.
"""
