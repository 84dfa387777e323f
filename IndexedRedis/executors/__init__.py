"""The only code that touches a client.

``conversation.py`` decides what to send, what to read, and what to do after a failure.
``sync.py`` and ``aio.py`` carry that out on connections of redis-py's pools. A new executor needs
``run`` and the operations of :mod:`~IndexedRedis.executors.conversation`.
"""
