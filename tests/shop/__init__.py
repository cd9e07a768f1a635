"""The shop's own tests, room by room as its code."""
