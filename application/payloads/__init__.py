"""Payloads as a whole: in several stores at once, verified, and swept."""
