"""IndexedRedisModel: its metaclass, its methods without a server, its methods with one."""
