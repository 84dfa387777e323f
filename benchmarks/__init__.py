"""Measure how fast the library is: ``python -m benchmarks``.

A *work* is what is timed, a *subject* is who does it: this library, 6.0.3, redis-py by hand, other
object mappers, SQL. Each subject runs in a process of its own; subjects take turns in every round.

:mod:`.groups` lists the groups of measurements, and has a file for each. Its works are done by
:mod:`.subjects`. :func:`.running.turns.compare` runs them, :mod:`.results` holds the samples,
:mod:`.table` and :mod:`.chart` show them, and :mod:`.docs` puts them into ``docs/``. :mod:`.scale`
computes from measured costs what a model over many servers needs.
"""
