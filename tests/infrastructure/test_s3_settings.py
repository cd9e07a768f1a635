"""Settings of payloads in S3."""

import pytest

from infrastructure.settings import InvalidSettings, Settings
from infrastructure.settings.reading import parse
from tests.refused import refused


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("HEADWATER_PAYLOAD_STORE", "gcs", "'directory' or 's3'"),
        ("HEADWATER_S3_BUCKET", "Big_Bucket", "3 to 63 of a-z"),
        ("HEADWATER_S3_BUCKET", "payloads", "HEADWATER_PAYLOAD_STORE=s3"),
        ("HEADWATER_S3_PREFIX", "../other", "production/payloads"),
        ("HEADWATER_S3_ENDPOINT", "127.0.0.1:8333", "http://"),
        ("HEADWATER_S3_ENDPOINT", "http://127.0.0.1:8333/bucket", "an address alone"),
        ("HEADWATER_PAYLOADS_ALSO_IN", "gs://bucket", "s3://BUCKET/PREFIX"),
    ],
)
def test_a_bad_value_is_named_with_what_would_be_right(name: str, value: str, right: str) -> None:
    """The message names what would be right, or the setting that belongs to it."""
    assert right in refused(name, value)


def test_a_payload_store_in_s3_needs_a_bucket() -> None:
    """And no directory, unless that is one of those that payloads are also read from."""
    s3 = {"HEADWATER_PAYLOAD_STORE": "s3"}
    bucket = {**s3, "HEADWATER_S3_BUCKET": "payloads", "HEADWATER_S3_PREFIX": "/bank/"}

    with pytest.raises(InvalidSettings, match="HEADWATER_S3_BUCKET: set it"):
        parse(Settings, s3)
    with pytest.raises(InvalidSettings, match="name it in HEADWATER_PAYLOADS_ALSO_IN"):
        parse(Settings, {**bucket, "HEADWATER_PAYLOADS_DIR": "/data/payloads"})
    found = parse(Settings, {**bucket, "HEADWATER_PAYLOADS_ALSO_IN": "/a b, s3://old/prefix"})
    assert (found.s3_prefix, found.payloads_also_in) == ("bank", ("/a b", "s3://old/prefix"))


def test_a_password_in_the_address_of_s3_is_not_shown() -> None:
    """Credentials do not belong in the address; the refusal does not repeat them."""
    with pytest.raises(InvalidSettings, match="HEADWATER_S3_ENDPOINT: the value") as refused:
        parse(Settings, {"HEADWATER_S3_ENDPOINT": "http://me:hidden@127.0.0.1:8333"})
    assert "hidden" not in str(refused.value)
