"""Calls to providers outside, over HTTP: what is sent, and what silence and errors stand for."""

from infrastructure.providers.line import Line

__all__ = ["Line"]
