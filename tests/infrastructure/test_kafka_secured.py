"""Kafka by TLS: PLAIN and SCRAM, a private authority, and what is refused at the start."""

from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest

from infrastructure.kafka.opening import other_party, require_admission
from infrastructure.settings import InvalidSettings
from tests.refused_at_start import HIDDEN, explained
from tests.servers import NotHere
from tests.servers.certificates import Authority
from tests.servers.kafka import PASSWORD, USER, secured
from tests.stores import settings_of

SCRAM: Final = f"{HIDDEN}@:/?#%ä ü&+="


@pytest.fixture(scope="module")
def scram(kafka: str) -> dict[str, str]:
    """The settings for the broker by TLS, with a user whose password has any character."""
    try:
        at, authority = secured(kafka)
    except NotHere as missing:
        pytest.skip(f"the Kafka {missing}")
    _add_user(kafka, "alice", SCRAM)
    return {
        "HEADWATER_BUS": "kafka",
        "HEADWATER_KAFKA_BOOTSTRAP_SERVERS": at,
        "HEADWATER_KAFKA_SECURITY_PROTOCOL": "sasl_ssl",
        "HEADWATER_KAFKA_CA_FILE": str(authority),
        "HEADWATER_KAFKA_USERNAME": "alice",
        "HEADWATER_KAFKA_PASSWORD": SCRAM,
    }


def _add_user(broker: str, name: str, password: str) -> None:
    from confluent_kafka import admin as kafka_admin

    admin: Any = kafka_admin  # its types hide these names
    client = admin.AdminClient({"bootstrap.servers": broker})
    for mechanism in (admin.ScramMechanism.SCRAM_SHA_256, admin.ScramMechanism.SCRAM_SHA_512):
        credentials = admin.ScramCredentialInfo(mechanism, 4096)
        change = admin.UserScramCredentialUpsertion(name, credentials, password.encode())
        for done in client.alter_user_scram_credentials([change]).values():
            done.result(30)


@pytest.mark.parametrize(
    ("mechanism", "user", "password"),
    [
        ("PLAIN", USER, PASSWORD),
        ("SCRAM-SHA-256", "alice", SCRAM),
        ("SCRAM-SHA-512", "alice", SCRAM),
    ],
)
async def test_each_mechanism_lets_a_user_in(
    scram: dict[str, str], mechanism: str, user: str, password: str
) -> None:
    """Over TLS with a private authority: a topic is made, so the client is whole."""
    chosen = {
        "HEADWATER_KAFKA_SASL_MECHANISM": mechanism,
        "HEADWATER_KAFKA_USERNAME": user,
        "HEADWATER_KAFKA_PASSWORD": password,
    }
    settings = settings_of({**scram, **chosen})
    await require_admission(settings)
    async with other_party(settings, [f"secured.{uuid4().hex}"]):
        pass


async def refused(given: dict[str, str]) -> str:
    with pytest.raises(InvalidSettings) as caught:
        await require_admission(settings_of(given))
    return explained(caught.value)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
async def test_a_wrong_password_ends_the_start(scram: dict[str, str], mechanism: str) -> None:
    """With the user, the settings of both, and without the password."""
    reason = await refused(
        {
            **scram,
            "HEADWATER_KAFKA_SASL_MECHANISM": mechanism,
            "HEADWATER_KAFKA_PASSWORD": f"not {HIDDEN}",
        }
    )
    assert reason.startswith("HEADWATER_KAFKA_PASSWORD: Kafka refuses the user 'alice'")


async def test_trust_that_does_not_fit_ends_the_start(
    scram: dict[str, str], kafka: str, tmp_path: Path
) -> None:
    """Another authority, another name, and a port that has no TLS."""
    servers, other = scram["HEADWATER_KAFKA_BOOTSTRAP_SERVERS"], Authority(tmp_path)
    wrong = {"HEADWATER_KAFKA_CA_FILE": str(other.file)}
    assert "KAFKA_CA_FILE: the brokers cannot be trusted" in await refused({**scram, **wrong})
    wrong = {"HEADWATER_KAFKA_BOOTSTRAP_SERVERS": servers.replace("127.0.0.1", "localhost")}
    assert "to hosts that they name" in await refused({**scram, **wrong})
    wrong = {"HEADWATER_KAFKA_BOOTSTRAP_SERVERS": kafka}
    assert "do not speak TLS there" in await refused({**scram, **wrong})


async def test_brokers_that_do_not_answer_do_not_end_the_start(
    scram: dict[str, str], unused_tcp_port: int
) -> None:
    """They may come later: forwarders and receivers try again."""
    away = {"HEADWATER_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{unused_tcp_port}"}
    await require_admission(settings_of({**scram, **away}))
