"""The library's edges: its routes and its entry point."""
