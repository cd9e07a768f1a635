"""The settings that every service has. A service with more of them extends the class."""

from infrastructure.settings.algolia import AlgoliaSettings  # only: algolia
from infrastructure.settings.console import ConsoleSettings  # only: console
from infrastructure.settings.dynamodb import DynamoDBSettings  # only: dynamodb
from infrastructure.settings.eventstoredb import EventStoreDBSettings  # only: eventstoredb
from infrastructure.settings.kafka import KafkaSettings  # only: kafka
from infrastructure.settings.keys import KeySettings
from infrastructure.settings.opensearch import OpenSearchSettings  # only: opensearch
from infrastructure.settings.payloads import PayloadSettings
from infrastructure.settings.postgres import PostgresSettings  # only: postgres
from infrastructure.settings.s3 import S3Settings  # only: s3
from infrastructure.settings.serving import ServingSettings
from infrastructure.settings.stores import StoreSettings
from infrastructure.settings.temporal import TemporalSettings  # only: temporal


class Settings(  # pydantic has the fields of the last class first
    ConsoleSettings,  # only: console
    ServingSettings,
    TemporalSettings,  # only: temporal
    KafkaSettings,  # only: kafka
    S3Settings,  # only: s3
    KeySettings,
    PayloadSettings,
    AlgoliaSettings,  # only: algolia
    OpenSearchSettings,  # only: opensearch
    DynamoDBSettings,  # only: dynamodb
    PostgresSettings,  # only: postgres
    EventStoreDBSettings,  # only: eventstoredb
    StoreSettings,
):
    """The whole configuration, checked once."""
