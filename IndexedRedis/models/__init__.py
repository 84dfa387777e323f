"""IndexedRedisModel: its metaclass, the half without a server, the half with one."""
