"""Calls to others who act: what they answer, and what silence stands for.

Whoever asks for something that costs money or moves a parcel gives the call a key, and keeps it
before asking. Repeated under that key, a call has the first answer and acts no second time; a key
that was used for something else is refused. The key names what the call has made, too: what
somebody may have made without telling us can still be undone.
"""

from dataclasses import dataclass


class ProviderUnavailable(Exception):
    """A provider could not be asked, or could not act: nothing has happened. Try again later."""


class OutcomeUnknown(Exception):
    """A provider was asked and gave no answer: it has acted, or not, or is about to.

    Ask again under the same key, look with ``find``, or undo it.
    """


class ProviderRefused(Exception):
    """A provider will never do this, and nothing has happened: the call itself makes no sense."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Declined:
    """The provider could, but will not: an answer like any other, and final under this key."""

    reason: str


@dataclass(frozen=True)
class Done:
    """The call has been carried out, and there is nothing more to say."""
