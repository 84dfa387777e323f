"""Client-side caching: replies kept, what makes them valid, what the server says of changes."""
