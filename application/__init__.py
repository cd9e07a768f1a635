"""Use cases. Uses the domain and the ports, never a driver."""
