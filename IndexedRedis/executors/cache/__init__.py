"""Client-side caching: cached replies, their validity, and invalidation messages."""
