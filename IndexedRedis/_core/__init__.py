"""The heart of the library, without I/O: it plans commands and reads replies.

Nothing in here knows a client, a socket, a clock or an event loop. Imports: ``fields``,
``errors``, ``encoding`` and ``deprecated`` only.
"""
