"""Kafka: what the service publishes, and the records of other parties."""

from infrastructure.kafka.bus import Bus
from infrastructure.kafka.client import client_settings
from infrastructure.kafka.copies import Copies
from infrastructure.kafka.incoming import IncomingRecords

__all__ = ["Bus", "Copies", "IncomingRecords", "client_settings"]
