"""Read your writes: a command answers with a token, and a query with that token waits.

A token holds the store, the category and the position of the command's last event. It is opaque to
clients, and its form may change with a release.
"""

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from itertools import count
from typing import Final, Self

from application.backoff import Backoff
from application.category import split
from application.command_dispatch import CommandOutcome
from application.log_end import LogEnd
from application.ports import ReadModels, StoreFacts, V, Views
from application.projections.projection import Projection

_FORM: Final = "1"
_LOOKS: Final = Backoff(0.002, most=0.05)  # seconds between two looks at a checkpoint


class InvalidToken(Exception):
    """The Consistency-Token is not one of this service."""


class NotYetProjected(Exception):
    """The events of the command are committed, but not in the read model yet."""

    def __init__(self, projection: str, position: int, checkpoint: int | None, waited: float):
        super().__init__(
            f"{projection} has not come to position {position} within {waited:g} s, it is at "
            f"{'the very beginning' if checkpoint is None else checkpoint}: what you did is "
            "committed and safe; send the query again with the same token"
        )
        self.projection, self.position, self.checkpoint = projection, position, checkpoint


class NotOfThisLog(Exception):
    """The read model shows events that the store does not hold: an older backup was restored."""

    def __init__(self, projection: str, checkpoint: int) -> None:
        super().__init__(
            f"{projection} has come to position {checkpoint}, beyond the end of the log, so it "
            "cannot say what the store holds; it has to be deployed anew"
        )


@dataclass(frozen=True)
class Token:
    """What a query has to wait for."""

    store: str
    category: str
    position: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """``None`` if there is nothing to wait for. Raises :class:`InvalidToken`."""
        try:
            form, *fields = urlsafe_b64decode(text.encode("ascii")).decode("ascii").split(" ")
            if (form, fields) == (_FORM, []):
                return None
            store, category, position = fields
            token = cls(store, category, int(position))
            if form != _FORM or token.text != text:
                raise ValueError(text)
        except ValueError:
            raise InvalidToken("send the Consistency-Token of an answer as it is") from None
        return token

    @property
    def text(self) -> str:
        return _encode(_FORM, self.store, self.category, str(self.position))


class Consistency:
    """Makes tokens, and waits until read models have their events."""

    def __init__(
        self,
        store: StoreFacts,
        read_models: ReadModels,
        categories: Collection[str],
        log_end: LogEnd | None = None,
        *,
        patience: float = 5.0,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """A query waits at most ``patience`` seconds.

        ``categories``: the categories that a token can name. With ``log_end``, it refuses views
        and tokens of events that the log does not hold.
        """
        self._store, self._read_models, self._log_end = store, read_models, log_end
        self._categories = categories
        self._patience, self._pause = patience, pause

    async def token(self, outcome: CommandOutcome) -> str:
        """The token for the client's next queries. Raises ``StoreUnavailable``."""
        store = await self._store.store_id()
        if outcome.position is None or store is None:
            return _encode(_FORM)
        return Token(store, split(outcome.stream)[0], outcome.position).text

    async def fresh(self, projection: Projection[V], text: str | None) -> Views[V]:
        """The views that answer queries, once they have the event of the token.

        Raises :class:`InvalidToken`, :class:`NotYetProjected`, :class:`NotOfThisLog`, ``NotBuilt``,
        ``StoreUnavailable``.
        """
        token = await self._checked(text) if text is not None else None
        if token is None or token.category not in {one.name for one in projection.follows}:
            return await self._read_models.live(projection)
        return await self._passed(projection, token.position)

    async def _checked(self, text: str) -> Token | None:
        token = Token.parse(text)
        if token is None:
            return None
        if token.category not in self._categories:
            raise InvalidToken(f"there is no category {token.category!r}")
        if token.store != await self._store.store_id():
            raise InvalidToken("this Consistency-Token was given by a service on another store")
        return token

    async def _passed(self, projection: Projection[V], position: int) -> Views[V]:
        """Finds the live build anew each time: it may be swapped meanwhile."""
        now = asyncio.get_running_loop().time
        end = now() + self._patience
        for look in count():
            views: Views[V] = await self._read_models.live(projection)
            checkpoint = await views.checkpoint()
            if checkpoint is not None and checkpoint >= position:
                if self._log_end and await self._log_end.is_beyond(checkpoint):
                    raise NotOfThisLog(projection.name, checkpoint)
                return views
            if now() >= end:
                if self._log_end and await self._log_end.is_beyond(position):
                    raise InvalidToken("the store does not hold what this Consistency-Token is of")
                raise NotYetProjected(projection.name, position, checkpoint, self._patience)
            await self._pause(min(_LOOKS.longest(look), max(0.0, end - now())))
        raise AssertionError  # it counts for ever


def _encode(*fields: str) -> str:
    return urlsafe_b64encode(" ".join(fields).encode()).decode()
