"""Limits of requests and of failed attempts. Each process counts for itself, and forgets.

What is remembered is bounded, whatever callers send: the oldest is forgotten first.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final, Generic, TypeVar

from application.access import TooManyRequests, Unidentified

BURST: Final = 10.0  # seconds' worth of requests that may come at once
FREE: Final = 5  # failures of one kind of credentials before the first delay
FREE_OF_ADDRESS: Final = 50  # failures of all kinds
LONGEST: Final = 60.0  # seconds of a delay, at most
FORGOTTEN: Final = 900.0  # seconds after which failures, and proven credentials, are forgotten
MOST: Final = 10_000  # identities, addresses and credentials that are remembered, of each
_ROUNDING: Final = 1e-6  # seconds

Clock = Callable[[], float]
V = TypeVar("V")


class _Recent(Generic[V]):
    """The values that were set last, ``most`` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[str, V] = OrderedDict()

    def get(self, name: str) -> V | None:
        return self._values.get(name)

    def set(self, name: str, value: V) -> None:
        self._values[name] = value
        self._values.move_to_end(name)
        while len(self._values) > self._most:
            self._values.popitem(last=False)

    def drop(self, name: str) -> None:
        self._values.pop(name, None)


class Rate:
    """Lets each identity send so many requests a second, and more for a moment; 0: any number."""

    def __init__(
        self, per_second: float, clock: Clock = time.monotonic, *, most: int = MOST
    ) -> None:
        self._per_second, self._clock = per_second, clock
        self._free_at: _Recent[float] = _Recent(most)  # by identity: when its bucket is full again

    def take(self, identity: str) -> None:
        """Count one request. Raises :class:`TooManyRequests`."""
        if not self._per_second:
            return
        now, each = self._clock(), 1 / self._per_second
        free_at = max(now, self._free_at.get(identity) or 0.0) + each
        if (over := free_at - now - max(BURST, each)) > _ROUNDING:
            least = f"at most {self._per_second:g} requests a second are answered"
            raise TooManyRequests(f"{identity} has sent too many: {least}", over)
        self._free_at.set(identity, free_at)


@dataclass(frozen=True)
class _Failures:
    number: int
    last: float

    def waits_until(self, free: int) -> float:
        over = self.number - free
        return self.last if over <= 0 else self.last + min(2.0 ** min(over - 1, 10), LONGEST)


class Attempts:
    """Slows failed attempts down: each failure of an address doubles its wait.

    Nothing is locked for good, and credentials that were right lately never wait.
    """

    def __init__(self, clock: Clock = time.monotonic, *, most: int = MOST) -> None:
        self._clock = clock
        self._failures: _Recent[_Failures] = _Recent(most)
        self._proven: _Recent[float] = _Recent(most)

    @contextmanager
    def tried(self, address: str, kind: str, credentials: str = "") -> Iterator[None]:
        """The block proves the credentials, or raises ``Unidentified``.

        Raises :class:`TooManyRequests` without trying, while the address has to wait with
        credentials of this kind.
        """
        digest = sha256(credentials.encode()).hexdigest()
        counted = {f"{_near(address)} {kind}": FREE, _near(address): FREE_OF_ADDRESS}
        if not (credentials and self._is_proven(digest)):
            for name, free in counted.items():
                self._require_no_wait(name, free)
        try:
            yield
        except Unidentified:
            self._proven.drop(digest)
            for name in counted:
                self._failed(name)
            raise
        self._failures.drop(next(iter(counted)))
        if credentials:
            self._proven.set(digest, self._clock())

    def _is_proven(self, digest: str) -> bool:
        at = self._proven.get(digest)
        return at is not None and self._clock() - at < FORGOTTEN

    def _require_no_wait(self, name: str, free: int) -> None:
        found = self._known(name)
        if found and (left := found.waits_until(free) - self._clock()) > 0:
            raise TooManyRequests("too many attempts have failed: wait before the next one", left)

    def _failed(self, name: str) -> None:
        found = self._known(name)
        number = found.number + 1 if found else 1
        self._failures.set(name, _Failures(number, self._clock()))

    def _known(self, name: str) -> _Failures | None:
        found = self._failures.get(name)
        return found if found and self._clock() - found.last < FORGOTTEN else None


def _near(address: str) -> str:
    """The address; of IPv6 its network, since one client has all addresses of it."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    whole = isinstance(found, IPv6Address) and found.ipv4_mapped is None
    return str(ip_network(f"{found}/64", strict=False)) if whole else str(found)
