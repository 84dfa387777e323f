"""The only code that touches a client.

``conversation.py`` says what goes over the wire and what is done when that fails, once for all;
``sync.py`` and ``aio.py`` lend it a connection of redis-py's pool. A new executor needs ``run``
and the operations of :mod:`~IndexedRedis.executors.conversation`.
"""
