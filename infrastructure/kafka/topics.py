"""The topics of a service: which there are, and how they are configured. All calls block."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its types hide two names
    AdminClient,
    ConfigEntry,
    ConfigResource,
)
from confluent_kafka.cimpl import NewTopic

from application.ports import TopicStanding
from infrastructure.kafka.blocking import Faults, answers, no_topic

_ANSWER: Final = 5.0  # seconds
_APART: Final = 0.05  # seconds
_BROKERS: Final = -1  # what the broker has set for new topics
_OF_POSITIONS: Final = {"cleanup.policy": "compact", "segment.bytes": "10000000"}


class Topics:
    """All methods raise ``BusUnavailable``."""

    def __init__(self, settings: Mapping[str, Any], events: Sequence[str], positions: str) -> None:
        """The names of the topics for events, and of the one for the position."""
        self.events, self.positions = events, positions
        self._settings = settings

    def standings(self) -> Sequence[TopicStanding]:
        with self._admin() as admin:
            there = admin.list_topics(timeout=_ANSWER).topics
            found = [name for name in self._all if name in there]
            configs = _configs(admin, found)
            return [
                _standing(name, there[name].partitions, configs[name])
                if name in configs
                else TopicStanding(name, exists=False)
                for name in self._all
            ]

    def limits(self) -> Mapping[str, int]:
        """The bytes that a batch of records may have, by topic. Raises for a missing topic."""
        standings = self.standings()
        if missing := [one.name for one in standings if not one.exists]:
            raise no_topic(missing)
        return {one.name: one.largest_record or 0 for one in standings}

    def create(self, partitions: int | None, replication: int | None) -> Sequence[str]:
        """Those that are missing, as the broker has it by default. Returns their names."""
        missing = [one.name for one in self.standings() if not one.exists]
        with self._admin() as admin:
            new = [self._new(name, partitions, replication) for name in missing]
            for future in admin.create_topics(new).values() if new else ():
                try:
                    future.result(_ANSWER)
                except KafkaException as error:  # another may have been faster
                    if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                        raise
        self._wait()
        return missing

    def _wait(self) -> None:
        """Until the broker shows topics that were created just now. Raises if it does not."""
        end = monotonic() + _ANSWER
        while unseen := [one.name for one in self.standings() if not one.exists]:
            if monotonic() > end:
                raise no_topic(unseen)
            sleep(_APART)

    @property
    def _all(self) -> Sequence[str]:
        return [*self.events, self.positions]

    @contextmanager
    def _admin(self) -> Iterator[AdminClient]:
        faults = Faults()
        configuration: dict[str, Any] = {**self._settings, "error_cb": faults.note}
        with answers(faults):
            admin = AdminClient(configuration)
            try:
                yield admin
            finally:
                admin.poll(0)  # calls back with what was wrong

    def _new(self, name: str, partitions: int | None, replication: int | None) -> NewTopic:
        copies = replication or _BROKERS
        if name == self.positions:
            return NewTopic(name, 1, copies, config=dict(_OF_POSITIONS))
        return NewTopic(name, partitions or _BROKERS, copies)


def _configs(admin: AdminClient, names: Sequence[str]) -> Mapping[str, Mapping[str, ConfigEntry]]:
    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
    found = admin.describe_configs(resources) if resources else {}
    return {resource.name: future.result(_ANSWER) for resource, future in found.items()}


def _standing(
    name: str, partitions: Mapping[int, Any], config: Mapping[str, ConfigEntry]
) -> TopicStanding:
    def of(key: str) -> str:
        return config[key].value or ""

    kept = int(of("retention.ms"))
    is_deleted = "delete" in of("cleanup.policy") and kept >= 0
    return TopicStanding(
        name,
        exists=True,
        partitions=len(partitions),
        replication=min((len(one.replicas) for one in partitions.values()), default=None),
        retention_seconds=kept / 1000 if is_deleted else None,
        largest_record=int(of("max.message.bytes")),
    )
