"""Use cases. Knows the domain and the ports, never a driver."""
