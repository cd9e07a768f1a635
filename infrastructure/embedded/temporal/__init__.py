"""Temporal's development server over a directory, as a child process."""

from infrastructure.embedded.temporal.server import DevelopmentServer, TemporalFailed

__all__ = ["DevelopmentServer", "TemporalFailed"]
