"""Guards of every HTTP server of ours: trusted host names, and the number of connections."""
