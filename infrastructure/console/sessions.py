"""Sessions: a signed cookie, so that any process of the service knows them, and none keeps them.

One ends ``LASTS`` seconds after its log-in, ``IDLE`` seconds after its last page, or at log-out. A
process remembers those that have ended there, so a copy of the cookie is of no use in it.

A form carries a token that is made of its session, and its ``Origin`` has to be this service.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self
from urllib.parse import urlsplit

import structlog
from fastapi import Request, Response

from infrastructure.console.cookies import Cookies
from infrastructure.console.routing import BadForm
from infrastructure.settings import Settings

log = structlog.stdlib.get_logger(__name__)

LASTS: Final = 8 * 3600  # seconds
IDLE: Final = 1800  # seconds
_STEP: Final = 60  # seconds after which a page is noted in the cookie
_NAME: Final = "headwater_console"
_APART: Final = "headwater_log_in"
_ATTEMPT_LASTS: Final = 600  # seconds
_MOST: Final = 10_000  # sessions that have ended


@dataclass(frozen=True)
class Session:
    """One browser, and who has logged in there: ``name`` as it is recorded with actions.

    ``actor``: as in the metadata of events. ``roles``: the names of their roles; ``None``: all.
    """

    secret: str
    until: float
    seen: float
    name: str | None = None
    roles: Sequence[str] | None = ()
    actor: str | None = None
    by_provider: bool = False

    @classmethod
    def new(
        cls,
        name: str | None = None,
        roles: Collection[str] | None = (),
        actor: str | None = None,
        *,
        by_provider: bool = False,
    ) -> Self:
        of, now = None if roles is None else sorted(roles), time.time()
        secret = secrets.token_urlsafe(24)
        return cls(secret, now + LASTS, now, name, of, actor or name, by_provider)

    @property
    def form_token(self) -> str:
        """What each form of this session has to carry."""
        return hmac.new(self.secret.encode(), b"form", hashlib.sha256).hexdigest()


class Sessions:
    """Reads and writes the cookie. A new key of sessions, or a new API token, ends all.

    Where the settings have neither, a session is one of this process.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        given = (settings.console_session_key, settings.api_token)
        keys = [key.get_secret_value() for key in given if key is not None]
        if settings.identifies and not keys:
            log.warning(
                "sessions of the console end with this process: it has no key for them",
                setting=settings.name_of("console_session_key"),
            )
            keys = [secrets.token_urlsafe(32)]
        text = f"console of {settings.prefix}: {' '.join(keys)}"
        key = hashlib.sha256(text.encode()).digest()
        self.cookies: Final = Cookies(key, settings.console_origin or "")
        self._clock = clock
        self._ended: dict[str, float] = {}

    def of(self, request: Request) -> Session | None:
        """The session of this request; ``None`` for none, one that has ended, or a forged one."""
        try:
            session = Session(**(self.cookies.read(request, _NAME) or {}))
        except TypeError:
            return None
        now = self._clock()
        lasts = now < min(session.until, session.seen + IDLE)
        return session if lasts and session.form_token not in self._ended else None

    def keep(self, session: Session, request: Request, response: Response) -> None:
        """Set the cookie."""
        seen = replace(session, seen=self._clock())
        self.cookies.write(request, response, _NAME, vars(seen), LASTS)

    def is_due(self, session: Session) -> bool:
        """Whether the cookie has to note that the session is in use."""
        return self._clock() > session.seen + _STEP

    def end(self, session: Session | None, request: Request, response: Response) -> None:
        """Take the cookie back, and take no copy of it any more."""
        now = self._clock()
        if session is not None:
            self._ended = {one: at for one, at in self._ended.items() if at > now}
            self._ended[session.form_token] = session.until
            while len(self._ended) > _MOST:
                del self._ended[next(iter(self._ended))]
        self.cookies.take_back(request, response, _NAME)

    def begin_log_in(self, request: Request, response: Response, to: str) -> str:
        """The state of a log-in that now begins, which leads on to that page."""
        state = secrets.token_urlsafe(24)
        begun = {"state": state, "to": to, "until": self._clock() + _ATTEMPT_LASTS}
        self.cookies.write(request, response, _APART, begun, _ATTEMPT_LASTS)
        return state

    def log_in_under_way(self, request: Request) -> Mapping[str, Any] | None:
        """Its ``state``, and ``to``, where it leads on to."""
        begun = self.cookies.read(request, _APART)
        return begun if begun and begun["until"] > self._clock() else None

    def end_log_in(self, request: Request, response: Response) -> None:
        """It is over, whatever came of it."""
        self.cookies.take_back(request, response, _APART)


def require_own_form(
    request: Request, session: Session | None, token: str, own: str | None = None
) -> None:
    """Raises :class:`BadForm` unless a page of this console, in this session, has sent it.

    ``own``: where browsers reach the service, if its ``Host`` is another behind a proxy.
    """
    origin = request.headers.get("origin")
    sent_here = origin and urlsplit(origin).netloc == request.headers.get("host")
    if not sent_here and (origin is None or origin != own):
        raise BadForm("the form was not sent by a page of this console: nothing was done")
    if session is None or not hmac.compare_digest(session.form_token.encode(), token.encode()):
        raise BadForm("the page is older than this session: load it again. Nothing was done.")
