"""The shop's pages in a real browser."""
