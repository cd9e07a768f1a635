"""Cookies that only this service can write, and that no page reads."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import Request, Response

from infrastructure.web.hosts import LOOPBACK, host

_PATH: Final = "/console"


@dataclass(frozen=True)
class Cookies:
    """Signed with ``key``. ``origin`` is where browsers reach the service, if that is known."""

    key: bytes = field(repr=False)
    origin: str = ""

    def read(self, request: Request, name: str) -> dict[str, Any] | None:
        """The values of that cookie; ``None`` for none, and for a forged one."""
        cookie = request.cookies.get(self._named(request, name), "")
        body, _, signature = cookie.partition(".")
        if not hmac.compare_digest(self._signature(name, body).encode(), signature.encode()):
            return None
        try:
            found = json.loads(base64.urlsafe_b64decode(body))
        except (ValueError, binascii.Error):
            return None
        return found if isinstance(found, dict) else None

    def write(
        self,
        request: Request,
        response: Response,
        name: str,
        values: Mapping[str, Any],
        seconds: int,
    ) -> None:
        """Set it for so long."""
        body = base64.urlsafe_b64encode(json.dumps(values).encode()).decode()
        named, text = self._named(request, name), f"{body}.{self._signature(name, body)}"
        response.set_cookie(named, text, max_age=seconds, **self._options(request))

    def take_back(self, request: Request, response: Response, name: str) -> None:
        """Let the browser forget it."""
        response.delete_cookie(self._named(request, name), **self._options(request))

    def is_secure(self, request: Request) -> bool:
        """Whether a cookie is for HTTPS alone: always, unless it stays on this machine."""
        https = request.url.scheme == "https" or self.origin.startswith("https:")
        return https or host(request.scope) not in LOOPBACK

    def _options(self, request: Request) -> dict[str, Any]:
        secure = self.is_secure(request)
        path = "/" if secure else _PATH
        return {"path": path, "httponly": True, "samesite": "lax", "secure": secure}

    def _named(self, request: Request, name: str) -> str:
        """``__Host-``: it can be set by this host alone, and over HTTPS alone."""
        return f"__Host-{name}" if self.is_secure(request) else name

    def _signature(self, name: str, body: str) -> str:
        return hmac.new(self.key, f"{name} {body}".encode(), hashlib.sha256).hexdigest()
