"""Kafka: the records of other parties."""

from infrastructure.kafka.incoming import IncomingRecords

__all__ = ["IncomingRecords"]
