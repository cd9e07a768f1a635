"""The bank as a person runs it: real processes, real sockets."""
