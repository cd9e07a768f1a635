"""What keeps records from a consumer: of the connection, and of each topic."""

import json
from time import monotonic
from typing import Final

from confluent_kafka import KafkaError

_CONNECTION: Final = "connection"
_SOON: Final = 10.0  # seconds that a connection may take


class ConsumerFaults:
    """The faults that last. The client reports that they begin; its statistics show the end."""

    def __init__(self, setting: str) -> None:
        """``setting`` is named in faults of the connection."""
        self._setting, self._began, self._connected = setting, monotonic(), False
        self._faults: dict[str, str] = {}

    @property
    def text(self) -> str | None:
        if not self._connected and not self._faults and monotonic() - self._began > _SOON:
            return f"{self._setting}: it is not connected yet"
        return "; ".join(self._faults.values()) or None

    def connected(self) -> None:
        self._connected = True
        self._faults.pop(_CONNECTION, None)

    def of_connection(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # what is reported of each says more
            self._faults.setdefault(_CONNECTION, f"{self._setting}: no broker answers")
        else:
            self._faults[_CONNECTION] = f"{self._setting}: {error.str()}"

    def of_topic(self, topic: str | None, error: KafkaError) -> None:
        missing = error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART
        self._faults[f"topic {topic}"] = (
            f"there is no topic {topic}: it is created by the party that publishes there"
            if missing
            else f"topic {topic}: {error.str()}"
        )

    def statistics(self, text: str) -> None:
        """Clears what has passed."""
        found = json.loads(text)
        if any(one["state"] == "UP" for one in found["brokers"].values()):
            self.connected()
        for topic, known in found["topics"].items():
            if any(number != "-1" for number in known["partitions"]):
                self._faults.pop(f"topic {topic}", None)
