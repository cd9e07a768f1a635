"""Calls to providers outside that act: what they answer, and what silence stands for.

A caller gives each call a key, and keeps it before it calls. Repeated under that key, a call has
the first answer and does not act again. A key that was used for something else is refused. The key
also names what the call has made, so what was made without an answer can still be undone.
"""

from dataclasses import dataclass


class ProviderUnavailable(Exception):
    """A provider does not answer or cannot act. Nothing was done; try again later."""


class OutcomeUnknown(Exception):
    """A provider was called and gave no answer: it has acted, or has not, or is about to.

    Call again under the same key, look with ``find``, or undo it.
    """


class ProviderRefused(Exception):
    """A provider will never do this, and nothing has happened: the call itself makes no sense."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Declined:
    """The provider could act, but will not: an answer like any other, and final under this key."""

    reason: str


@dataclass(frozen=True)
class Done:
    """The call has been carried out, and there is nothing more to say."""
