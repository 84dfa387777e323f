"""The commands, ``indexedredis`` or ``python -m IndexedRedis``.

The rule: a command reads its arguments, calls what the library offers, and says what came of it;
what it does can be done in Python with the same names. Importing this package needs nothing, and
``app.py`` the extra ``cli``.
"""
