"""The compose files: each role is a service of its own, and all fit what the command line takes.

No Docker is needed: the files are read as Compose reads them, one over the other.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from infrastructure.roles import Role
from infrastructure.settings.reading import names_of, parse
from infrastructure.shop.settings import ShopSettings
from tests.reference.commands import options

ROOT: Final = Path(__file__).parents[2]
FILES: Final = {
    "eventstoredb": ["docker-compose.yml"],
    "postgres": ["docker-compose.yml", "docker-compose.postgres.yml"],
}
WORKERS: Final = ("projections", "sagas")


class _Override(dict[str, Any]):
    """A value that takes the place of an earlier one, instead of being merged with it."""


class _Loader(yaml.SafeLoader):
    """YAML with the tag that Compose adds."""


def _override(loader: yaml.SafeLoader, node: yaml.MappingNode) -> _Override:
    return _Override({str(key): v for key, v in loader.construct_mapping(node, deep=True).items()})


_Loader.add_constructor("!override", _override)


@pytest.fixture(params=FILES, ids=str)
def services(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """The services of one deployment."""
    merged: dict[str, Any] = {}
    for name in FILES[request.param]:
        document = yaml.load((ROOT / name).read_text(), _Loader)
        merged = _merged(merged, document["services"])
    return {name: one for name, one in merged.items() if "profiles" not in one}


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    both = {name: value for name, value in under.items() if name not in over}
    for name, value in over.items():
        mapping = isinstance(value, dict) and not isinstance(value, _Override)
        before = under.get(name)
        both[name] = _merged(before, value) if mapping and isinstance(before, dict) else value
    return both


def test_each_role_is_a_service(services: Mapping[str, Any]) -> None:
    """The API and every worker are; two processes of each worker share its work. No service
    declares forwarders yet, so there is none of them."""
    for role in (Role.API, *WORKERS):
        assert services[role]["command"] == ["headwater", "serve", "--role", role]
    for role in WORKERS:
        assert services[role]["deploy"]["replicas"] == 2
        assert "ports" not in services[role], "two cannot have one port"
    assert set(services) <= {*map(str, Role), "migrate", "providers", "postgres", "eventstoredb"}


def test_the_tables_are_there_before_any_role_starts(services: Mapping[str, Any]) -> None:
    """`migrate` ends well first, and starts when PostgreSQL answers."""
    assert services["migrate"]["command"] == ["headwater", "migrate"]
    assert services["migrate"]["restart"] == "no"
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for role in (Role.API, *WORKERS):
        condition = services[role]["depends_on"]["migrate"]["condition"]
        assert condition == "service_completed_successfully"


def test_what_is_waited_for_is_there(services: Mapping[str, Any]) -> None:
    """A service that another one depends on is started, and has a health check if that counts."""
    for one in services.values():
        for name, needed in (one.get("depends_on") or {}).items():
            assert name in services
            if needed["condition"] == "service_healthy":
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
        given = {name: _default(text) for name, text in services[role]["environment"].items()}
        settings = parse(ShopSettings, given)
        for field in (*settings.servers, "payment_provider_uri", "carrier_uri"):
            assert getattr(settings, field), names_of(ShopSettings, field)
        assert settings.api_token is not None


def _default(text: str) -> str:
    """What Compose makes of ``${NAME:-default}`` where nothing is set."""
    while "${" in text:
        before, _, rest = text.rpartition("${")
        inner, _, after = rest.partition("}")
        text = f"{before}{inner.partition(':-')[2]}{after}"
    return text


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
    assert set(published) <= {"api", "postgres", "eventstoredb"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
