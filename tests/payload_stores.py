"""Payload stores for tests: in a new bucket of a server that speaks S3."""

from infrastructure import s3
from infrastructure.s3.bucket import Bucket
from tests.servers import S3


class Keys:
    """Credentials that do not come from this machine."""

    def __init__(self, key: str, secret: str) -> None:
        self._key, self._secret = key, secret

    def __call__(self) -> dict[str, str | None]:
        keys = {"access_key_id": self._key, "secret_access_key": self._secret}
        return {**keys, "token": None, "expires_at": None}


def payloads_on(server: S3, bucket: str, prefix: str = "test/payloads") -> s3.PayloadStore:
    """The payload store below a prefix of that bucket."""
    at = Bucket(bucket, prefix, server.endpoint, server.region)
    return s3.PayloadStore(at, Keys(server.key, server.secret))  # type: ignore[arg-type]  # obstore takes any callable
