"""The S3 server of the tests does what it is there for."""

from obstore.store import S3Store

from infrastructure.settings import Settings
from infrastructure.settings.reading import parse
from tests.servers import S3, S3_SERVER


def test_s3_keeps_objects(s3: S3) -> None:
    """An object that was put is read back."""
    store = S3Store(
        s3.bucket(),
        endpoint=s3.endpoint,
        access_key_id=s3.key,
        secret_access_key=s3.secret,
        region=s3.region,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )
    store.put("name", b"content", mode="create")

    assert store.get("name").bytes() == b"content"


def test_s3_has_room_for_a_bucket_of_each_test(s3: S3) -> None:
    """An object can be put into each of many buckets."""
    for _ in range(20):
        bucket = s3.bucket()
        S3Store(
            bucket,
            endpoint=s3.endpoint,
            access_key_id=s3.key,
            secret_access_key=s3.secret,
            region=s3.region,
            client_options={"allow_http": True},
        ).put("name", b"content")


def test_the_printed_settings_lead_a_service_there(s3: S3) -> None:
    """What ``make servers`` prints to export is accepted, and has the address."""
    printed = S3_SERVER.settings(s3.endpoint)
    parse(Settings, {name: value for name, value in printed.items() if "HEADWATER" in name})
    assert s3.endpoint in printed.values()
