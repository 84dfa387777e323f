"""The commands, ``indexedredis`` or ``python -m IndexedRedis``.

The rule: a command reads its arguments, calls the public library, and prints the result. Python
code can do the same by the same names. ``app.py`` needs the extra ``cli``.
"""
