"""Repeats what fails: without end what passes by itself, a few times everything else."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Final, TypeVar

from application.backoff import Backoff
from application.command_dispatch import TooMuchContention
from application.ports import (
    OutcomeUnknown,
    ProviderUnavailable,
    StoreUnavailable,
    WrongExpectedVersion,
)

T = TypeVar("T")

BACKOFF: Final = Backoff(0.05, most=10.0)


class NotHere(Exception):
    """Only a newer release can handle this event. It is kept until this process ends."""


class GivenUp(Exception):
    """Another process does this work now, so it is not repeated here."""


PASSING: Final = (
    NotHere,
    StoreUnavailable,
    ProviderUnavailable,
    OutcomeUnknown,
    TooMuchContention,
    WrongExpectedVersion,
)
"""Errors that pass by themselves, so the work is repeated without an operator."""


@dataclass(frozen=True)
class Failure:
    """The last error of a few attempts, and their number."""

    error: Exception
    attempts: int

    def __str__(self) -> str:
        return f"{type(self.error).__name__}: {self.error}"


@dataclass(frozen=True)
class Retrying:
    """Awaits ``pause(n)`` after the n-th attempt."""

    pause: Callable[[int], Awaitable[None]] = BACKOFF
    tries: int = 3

    async def patiently(self, act: Callable[[], Awaitable[T]]) -> T:
        """Repeat it after each error that passes by itself: ``PASSING``. Raises all others."""
        for attempt in count(1):
            try:
                return await act()
            except PASSING:
                await self.pause(attempt)
        raise AssertionError  # it counts for ever

    async def failure(self, act: Callable[[], Awaitable[object]]) -> Failure | None:
        """The failure of ``tries`` attempts; ``None``: it was done. Raises :class:`GivenUp`."""
        for attempts in count(1):
            try:
                await self.patiently(act)
            except GivenUp:
                raise
            except Exception as error:  # whatever it is: an operator has to look
                if attempts == self.tries:
                    return Failure(error, attempts)
                await self.pause(attempts)
            else:
                return None
        raise AssertionError  # it counts for ever
