"""A music shop in Django, whose catalogue IndexedRedis serves."""
