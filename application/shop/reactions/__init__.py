"""Choreographed flows of the shop: an event comes, a command goes."""
