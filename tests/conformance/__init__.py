"""One suite of scenarios that every executor has to pass, on every kind of server."""
