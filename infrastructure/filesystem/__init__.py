"""Ports on a local directory."""

from infrastructure.filesystem.payload_store import PayloadStore

__all__ = ["PayloadStore"]
