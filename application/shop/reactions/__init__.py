"""Choreographed flows of the shop: an event leads to commands."""
