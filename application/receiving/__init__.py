"""Receives integration events of other parties, and turns them into commands."""
