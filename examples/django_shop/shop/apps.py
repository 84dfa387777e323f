"""Name the Redis server of ``REDIS_URL`` when Django starts; else it is the one on this machine."""

import os

from django.apps import AppConfig

import IndexedRedis


class ShopConfig(AppConfig):
    """The shop."""

    name = 'shop'

    def ready(self) -> None:
        """Set the server of all models."""
        if url := os.environ.get('REDIS_URL'):
            IndexedRedis.setDefaultRedisConnectionParams({'url': url})
