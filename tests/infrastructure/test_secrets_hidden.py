"""No secret in what is printed, logged or raised, whatever goes wrong."""

import asyncio
import base64
import re
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import quote

import pytest

from infrastructure.connecting import opened
from infrastructure.container import wired
from infrastructure.settings import Settings
from infrastructure.settings.secret_files import is_secret, with_files_read
from tests.sample.program import BANK
from tests.stores import settings_of

MARKER: Final = "sesame-sesame-sesame"
SECRET: Final = [field for field in Settings.model_fields if is_secret(Settings, field)]
_SOUNDS_SECRET: Final = re.compile(r"password|secret|token|_key$|passphrase|_pem$")


def test_what_sounds_secret_is_secret() -> None:
    """A setting with such a name has a type that hides its value."""
    named = [field for field in Settings.model_fields if _SOUNDS_SECRET.search(field)]
    assert named
    assert [field for field in named if field not in SECRET] == []


@pytest.mark.parametrize("field", SECRET)
def test_each_secret_may_stand_in_a_file(field: str, tmp_path: Any) -> None:
    """By ``…_FILE``, as Docker and Kubernetes hand it out."""
    file, name = tmp_path / "secret", Settings.name_of(field)
    file.write_text(f"{MARKER}\n")
    assert with_files_read(Settings, {f"{name}_FILE": str(file)}) == {name: MARKER}


@pytest.mark.parametrize("field", SECRET)
def test_settings_hide_each_secret(field: str) -> None:
    """Shown as a whole, and where a value is refused."""
    annotation = str(Settings.model_fields[field].annotation)
    hidden = "SecretStr" in annotation
    value = MARKER if hidden else f"https://me:{MARKER}@127.0.0.1"
    shown = repr(Settings.model_construct(**{field: _typed(value, hidden=hidden)}))
    assert field in shown
    assert MARKER not in shown


def _typed(value: str, *, hidden: bool) -> Any:
    from pydantic import SecretStr

    return SecretStr(value) if hidden else value


@asynccontextmanager
async def echo() -> AsyncIterator[str]:
    """Host and port of a server that answers each request with an error, and repeats it all."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while sent := await reader.read(1 << 16):
            head = f"HTTP/1.1 400 Bad\r\nContent-Type: text/plain\r\nContent-Length: {len(sent)}"
            writer.write(head.encode() + b"\r\n\r\n" + sent)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def _events(given: Mapping[str, str]) -> None:
    async with opened(wired(BANK, settings_of(given)), "event_side"):
        pass


# only: postgres
async def _postgres(given: Mapping[str, str]) -> None:
    from infrastructure.postgres.admission import require_admission
    from infrastructure.postgres.connections import connected
    from infrastructure.postgres.pools import pool

    settings = settings_of(given)
    await require_admission(settings)
    async with pool(settings.postgres_uri or "", patience=0.3) as views, connected(views):
        pass


# end: postgres
# only: kafka
async def _kafka(given: Mapping[str, str]) -> None:
    from infrastructure.kafka.opening import other_party, require_admission

    await require_admission(settings_of(given))
    async with other_party(settings_of(given), []):
        pass
    raise ConnectionError("nothing is sent yet")


# end: kafka
# only: s3
async def _payloads(given: Mapping[str, str]) -> None:
    await wired(BANK, settings_of(given)).payloads().check()


# end: s3
# only: search
async def _search(given: Mapping[str, str]) -> None:
    async with wired(BANK, settings_of(given)).open_search(7) as side:
        await side.check()


# end: search
# only: temporal
async def _temporal(given: Mapping[str, str]) -> None:
    from infrastructure.temporal.connecting import connected

    await connected(settings_of(given), None)


# end: temporal
SERVERS: Final[Mapping[str, tuple[Callable[[Mapping[str, str]], Awaitable[None]], str]]] = {
    "EventStoreDB": (_events, "EVENTSTOREDB_URI=esdb://me:{secret}@{at}"),  # only: eventstoredb
    "DynamoDB": (_events, "EVENT_STORE=dynamodb DYNAMODB_URI=http://{at}"),  # only: dynamodb_events
    "PostgreSQL": (_postgres, "POSTGRES_URI=postgresql://me:{secret}@{at}/x"),  # only: postgres
    # only: kafka
    "Kafka": (
        _kafka,
        "BUS=kafka KAFKA_BOOTSTRAP_SERVERS={at} KAFKA_SECURITY_PROTOCOL=sasl_plaintext "
        "KAFKA_SASL_MECHANISM=PLAIN KAFKA_USERNAME=me KAFKA_PASSWORD={secret}",
    ),
    # end: kafka
    "S3": (_payloads, "PAYLOAD_STORE=s3 S3_BUCKET=any S3_ENDPOINT=http://{at}"),  # only: s3
    # only: opensearch
    "OpenSearch": (_search, "SEARCH=opensearch OPENSEARCH_URI=http://me:{secret}@{at}"),
    # end: opensearch
    # only: algolia
    "Algolia": (
        _search,
        "SEARCH=algolia ALGOLIA_APPLICATION_ID=ME ALGOLIA_HOSTS=http://{at} "
        "ALGOLIA_API_KEY={secret}",
    ),
    # end: algolia
    # only: temporal
    "Temporal": (
        _temporal,
        "SAGA_ENGINE=temporal TEMPORAL_ADDRESS={at} TEMPORAL_TLS=true TEMPORAL_API_KEY={secret}",
    ),
    # end: temporal
}


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("way", ["away", "repeating"])
async def test_no_server_makes_a_secret_known(
    server: str,
    way: str,
    unused_tcp_port: int,
    monkeypatch: pytest.MonkeyPatch,  # only: s3 or dynamodb
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """One that is away, and one that repeats what it was sent: errors with all their causes, all
    logs, and all that is printed have the secret in no form."""
    act, template = SERVERS[server]
    # only: s3 or dynamodb
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, MARKER)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "me")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    # end: s3 or dynamodb
    caplog.set_level("DEBUG")
    async with echo() as repeating:
        at = repeating if way == "repeating" else f"127.0.0.1:{unused_tcp_port}"
        given = dict(one.split("=", 1) for one in template.format(at=at, secret=MARKER).split())
        with pytest.raises(Exception) as caught:  # noqa: PT011 - what it is does not matter here
            await act({f"HEADWATER_{name}": value for name, value in given.items()})
    printed = capfd.readouterr()
    said = "".join(traceback.format_exception(caught.value))
    for text in (str(caught.value), said, caplog.text, printed.out, printed.err):
        for form in (MARKER, quote(MARKER), *_encoded()):
            assert form not in text


def _encoded() -> list[str]:
    """As a header or a protocol has it."""
    logins = (MARKER, f"me:{MARKER}", f"\0me\0{MARKER}")
    return [base64.b64encode(login.encode()).decode().rstrip("=") for login in logins]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such call")
def test_memory_is_not_dumped() -> None:
    """A process that serves writes no core dump, and others of its user cannot read it."""
    asked = (
        "import ctypes, resource\n"
        "from infrastructure.processes.private_memory import keep_memory_private\n"
        "keep_memory_private()\n"
        "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(4)[0])"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "0"]
