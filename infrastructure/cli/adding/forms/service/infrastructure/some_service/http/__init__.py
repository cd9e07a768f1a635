"""The routes, one page for each path."""
