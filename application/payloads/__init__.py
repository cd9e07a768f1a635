"""Payloads as a whole: in several stores at once, verified, copied, and removed."""
