"""What only a bucket can get wrong, on a real server, and what is said of it."""

from typing import Any

import obstore
import pytest

from application.ports import PayloadDamaged, StoreUnavailable
from infrastructure.s3 import PayloadStore
from infrastructure.s3.bucket import Bucket
from infrastructure.s3.payload_store import PART
from tests.payload_stores import Keys, payloads_on
from tests.servers import S3


@pytest.fixture
def bucket(s3: S3) -> str:
    return s3.bucket()


async def test_a_damaged_object_is_refused_and_repaired(s3: S3, bucket: str) -> None:
    """An object with another hash is not returned; putting its content again replaces it."""
    payloads = payloads_on(s3, bucket)
    digest = await payloads.put(b"genuine")
    await obstore.put_async(payloads._objects, digest, b"gen")

    with pytest.raises(PayloadDamaged, match="damaged"):
        await payloads.get(digest)
    await payloads.put(b"genuine")

    assert await payloads.get(digest) == b"genuine"


async def test_a_payload_is_written_once(s3: S3, bucket: str) -> None:
    """Putting what is there whole does not write it again, in one part or in several."""
    payloads = payloads_on(s3, bucket)
    for data in (b"small", bytes(PART + 1)):
        digest = await payloads.put(data)
        before = await obstore.head_async(payloads._objects, digest)
        await payloads.put(data)
        assert await obstore.head_async(payloads._objects, digest) == before
        assert await payloads.get(digest) == data


async def test_prefixes_keep_stores_apart(s3: S3, bucket: str) -> None:
    """Two stores in one bucket see nothing of each other."""
    here, there = payloads_on(s3, bucket, "here"), payloads_on(s3, bucket, "there")
    await here.put(b"here")

    assert [one async for one in there.stored()] == []


@pytest.mark.parametrize(
    ("change", "right"),
    [
        ({"name": "not-there"}, r"HEADWATER_S3_BUCKET: there is no bucket 'not-there' at .*: make"),
        ({"endpoint": "http://127.0.0.1:1"}, "HEADWATER_S3_ENDPOINT: no answer from .*: set the"),
    ],
)
async def test_a_wrong_place_is_named_with_its_setting(
    s3: S3, bucket: str, change: dict[str, str], right: str
) -> None:
    """The check names the setting that is wrong, and what would be right; it makes no bucket."""
    given: dict[str, Any] = {"name": bucket, "endpoint": s3.endpoint, **change}
    at = Bucket(**given, setting="HEADWATER_S3_BUCKET", endpoint_setting="HEADWATER_S3_ENDPOINT")
    payloads = PayloadStore(at, Keys(s3.key, s3.secret))  # type: ignore[arg-type]  # obstore takes any callable

    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=right):
            await payloads.check()


@pytest.mark.parametrize(("key", "secret"), [("dev", "wrong-secret"), ("nobody", "devsecret")])
async def test_wrong_credentials_are_named_and_not_shown(
    s3: S3, bucket: str, key: str, secret: str
) -> None:
    """The check says what to set, and no message or representation has the secret in it."""
    payloads = PayloadStore(Bucket(bucket, endpoint=s3.endpoint), Keys(key, secret))  # type: ignore[arg-type]  # obstore takes any callable

    with pytest.raises(
        StoreUnavailable, match=r"the AWS credentials are wrong.*AWS_PROFILE"
    ) as told:
        await payloads.check()

    assert secret not in f"{told.value!r} {told.value.__cause__!r} {payloads!r}"
    assert told.value.__suppress_context__


async def test_credentials_come_from_the_environment(
    s3: S3, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The usual variables are read, and those that would lead to another server are not."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")

    await PayloadStore(Bucket(bucket, endpoint=s3.endpoint)).check()


async def test_credentials_come_from_a_profile(
    s3: S3, bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A profile in the file of shared credentials is read, as by every AWS program."""
    _without_credentials(monkeypatch)
    file = tmp_path_factory.mktemp("aws") / "credentials"
    lines = ["[reader]", f"aws_access_key_id={s3.key}", f"aws_secret_access_key={s3.secret}"]
    file.write_text("\n".join(lines))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "reader")

    await PayloadStore(Bucket(bucket, endpoint=s3.endpoint)).check()

    monkeypatch.setenv("AWS_PROFILE", "another")
    with pytest.raises(StoreUnavailable, match="another"):
        await PayloadStore(Bucket(bucket, endpoint=s3.endpoint)).check()


async def test_without_credentials_it_says_what_to_set(
    s3: S3, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there are none, the message names the variables."""
    _without_credentials(monkeypatch)

    with pytest.raises(StoreUnavailable, match="no AWS credentials were found: set AWS_ACCESS"):
        await PayloadStore(Bucket(bucket, endpoint=s3.endpoint)).check()


def _without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
