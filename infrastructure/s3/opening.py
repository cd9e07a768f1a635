"""Opens the payload stores in S3 that the settings name."""

from dataclasses import replace

from infrastructure.certificates import require_files
from infrastructure.s3.bucket import Bucket
from infrastructure.s3.payload_store import PayloadStore
from infrastructure.settings import Settings
from infrastructure.settings.s3 import in_bucket


def payload_store(settings: Settings, place: str | None = None) -> PayloadStore:
    """The one where payloads are written; or, at ``s3://BUCKET/PREFIX``, one where they are read.

    Connects to nothing yet. Raises ``InvalidSettings`` for certificates that cannot be read.
    """
    name = settings.name_of
    require_files(settings, "s3")
    bucket = Bucket(
        settings.s3_bucket or "",
        settings.s3_prefix,
        settings.s3_endpoint,
        settings.s3_region,
        setting=name("s3_bucket"),
        endpoint_setting=name("s3_endpoint"),
        ca_file=settings.s3_ca_file,
        ca_setting=name("s3_ca_file"),
    )
    if place is not None:
        at, prefix = in_bucket(place)
        bucket = replace(bucket, name=at, prefix=prefix, setting=name("payloads_also_in"))
    return PayloadStore(bucket)
