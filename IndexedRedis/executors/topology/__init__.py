"""Where the nodes of a cluster, or of a Sentinel service, are, and which one to talk to."""
