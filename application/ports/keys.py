"""The keys of data subjects: without its key, what events hold of a person cannot be read."""

from collections.abc import AsyncIterator, Collection, Mapping
from typing import Final, Protocol

KEY_BYTES: Final = 32
"""The length of a key: AES-256."""

LONGEST_SUBJECT: Final = 512
"""In characters."""

HISTORIES: Final = "$histories"
"""The key of all values in the histories of workflows. It is the service's own, and no person's."""


class Forgotten(Exception):
    """The key of this data subject was destroyed: its personal data can never be read again."""

    def __init__(self, subject: str) -> None:
        super().__init__(f"{subject!r} is forgotten: its key was destroyed, and there is no other")
        self.subject = subject


class KeyStore(Protocol):
    """Data keys of 32 bytes, one for each data subject, each made once.

    A subject is the text in the subject's field of an event. All methods raise
    ``StoreUnavailable``.
    """

    async def keys(self, subjects: Collection[str]) -> Mapping[str, bytes]:
        """The keys that there are. A subject that is unknown or forgotten has none."""
        ...

    async def key(self, subject: str) -> bytes:
        """The key of the subject. A new one is made once, whichever process comes first.

        Raises :class:`Forgotten`, and ``ValueError`` for what :func:`require_subject` refuses.
        """
        ...

    async def destroy(self, subject: str) -> bool:
        """Destroy the key for good, also one that was never made: the subject gets no other.

        Returns ``False`` if that was done before. Raises ``ValueError`` as :meth:`key` does.
        """
        ...

    def forgotten(self) -> AsyncIterator[str]:
        """All subjects whose keys were destroyed, in any order."""
        ...


def subjects_in(texts: Collection[str]) -> list[str]:
    """Those of these texts that can be subjects, each once."""
    return [one for one in dict.fromkeys(texts) if _is_subject(one)]


def require_subject(subject: str) -> None:
    """``ValueError`` unless every store can keep it: 1 to 512 characters, none of them NUL."""
    if not _is_subject(subject):
        raise ValueError(
            f"{subject[:40]!r} is not a data subject: give 1 to {LONGEST_SUBJECT} characters, "
            "without NUL"
        )


def _is_subject(text: str) -> bool:
    return 0 < len(text) <= LONGEST_SUBJECT and "\0" not in text
