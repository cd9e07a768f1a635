"""What a service receives of one other party, declared: integration events, and what they lead to.

    Incoming(
        publisher="clearing",
        topics=("clearing.payments",),
        handlers={PaymentReceived: deposit},
    )

``PaymentReceived`` is an integration event of that party: its name, version and the fields that are
needed here. ``deposit`` is a pure function: event → commands, each with the id of its aggregate.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from application.integration_events import IntegrationEvent
from domain.decider import Command

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_TYPE: Final = re.compile(r"(.+)\.v([1-9][0-9]{0,8})")
_TOPIC: Final = re.compile(r"[a-zA-Z0-9._-]{1,200}")

Handler = Callable[[Any], Iterable[tuple[str, Command]]]
"""An event → commands, each after the id of its aggregate. Pure: the same event, the same ones."""


@dataclass(frozen=True)
class Incoming:
    """The integration events of one publisher that lead to commands, by topic.

    Other types and newer versions are ignored. ``ValueError`` for names that cannot be ones.
    """

    publisher: str  # the first part of its event types; also the name of the consumer group
    topics: tuple[str, ...]
    handlers: Mapping[type[IntegrationEvent], Handler]

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.publisher):
            raise ValueError(f"{self.publisher!r} is not a publisher: write it like clearing")
        if not self.topics or not all(_TOPIC.fullmatch(topic) for topic in self.topics):
            raise ValueError(f"{self.publisher}: give topics with the characters of Kafka's names")
        if len(self.by_type) < len(self.handlers):
            raise ValueError(f"{self.publisher}: two events have one name and one version")

    @cached_property
    def by_type(self) -> Mapping[str, type[IntegrationEvent]]:
        """By the CloudEvents type: ``clearing.payment.received.v1``."""
        return {f"{self.publisher}.{event.kind}": event for event in self.handlers}

    @cached_property
    def _newest(self) -> Mapping[str, int]:
        """The newest version that is handled, by the type without its version."""
        newest: dict[str, int] = {}
        for event in self.handlers:
            name = f"{self.publisher}.{event.kind.name}"
            newest[name] = max(event.kind.version, newest.get(name, 0))
        return newest

    def is_newer(self, type: str) -> bool:
        """Whether it is a newer version of an event that is handled."""
        if (found := _TYPE.fullmatch(type)) is None:
            return False
        version = int(found[2])
        return version > self._newest.get(found[1], version)
