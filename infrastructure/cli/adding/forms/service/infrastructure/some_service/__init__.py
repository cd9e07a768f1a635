"""The edges of the service: its routes, its settings and its entry point."""
