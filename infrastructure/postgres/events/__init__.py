"""Events in PostgreSQL: streams, the log of all events, and the groups that share it."""
