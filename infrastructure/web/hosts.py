"""The host names to which a server answers.

A web page can make its own host name resolve to 127.0.0.1 ("DNS rebinding"), and then send requests
as if they came from this machine. The ``Host`` header reveals it.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from typing import Any, Final

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})

_NAME: Final = re.compile(r"(?P<name>\[[^\]]*\]|[^:@/?#\\\s]*)(:\d*)?")

_Scope = MutableMapping[str, Any]
_App = Callable[[_Scope, Any, Any], Awaitable[None]]


class Trusted:
    """Passes requests on for names that are trusted, and all others to ``refusal``.

    Trusted are the names of the loopback, those given here (``*.example.org``: all below it, ``*``:
    any), and the address that the client has connected to. Files at the paths ``public`` are for
    everybody: the page of a refusal loads them.
    """

    def __init__(
        self,
        app: _App,
        *,
        names: Collection[str] = (),
        refusal: _App,
        public: Collection[str] = (),
    ) -> None:
        self._app, self._refusal, self._public = app, refusal, public
        self._names = {*LOOPBACK, *(name.lower() for name in names)}

    async def __call__(self, scope: _Scope, receive: Any, send: Any) -> None:
        passes = scope["type"] != "http" or scope["path"] in self._public
        trusted = passes or self._trusts(host(scope), scope)
        await (self._app if trusted else self._refusal)(scope, receive, send)

    def _trusts(self, name: str | None, scope: _Scope) -> bool:
        if name is None or name in self._names or "*" in self._names:
            return True  # browsers always send a name; HTTP/1.0 clients may not
        address = (scope.get("server") or (None,))[0]
        parents = name.split(".")[1:]
        above = (f"*.{'.'.join(parents[at:])}" for at in range(len(parents)))
        return name in (address, f"[{address}]") or any(parent in self._names for parent in above)


def host(scope: Mapping[str, Any]) -> str | None:
    """The name in the ``Host`` header, without port, in lower case.

    What is not a name with a port perhaps is returned whole, and so is trusted nowhere.
    """
    given = [
        value.decode("latin-1").lower() for header, value in scope["headers"] if header == b"host"
    ]
    if not given:
        return None
    found = _NAME.fullmatch(given[0]) if len(given) == 1 else None
    return found["name"].rstrip(".") if found else ", ".join(given)
