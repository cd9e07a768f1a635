"""Settings are checked once, and what is wrong is said in one line."""

from pathlib import Path
from typing import ClassVar

import pytest

from infrastructure import settings
from infrastructure.connecting import opened
from infrastructure.container import wired
from infrastructure.settings import InvalidSettings, Settings, without_password
from infrastructure.settings.reading import names_of, parse
from tests.refused import refused
from tests.sample.program import BANK


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of this machine, and no ``.env`` file, reaches a test."""
    for field in Settings.model_fields:
        for name in names_of(Settings, field):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_nothing_has_to_be_set() -> None:
    """Without any setting: embedded servers, and the loopback interface."""
    found = settings.load(Settings)

    assert found.eventstoredb_uri is None
    assert found.postgres_uri is None
    assert (found.http_host, found.http_port) == ("127.0.0.1", 8000)
    assert found.payloads == Path(".headwater/payloads")


def test_the_environment_comes_before_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A ``.env`` file is read, and the environment overrules it."""
    (tmp_path / ".env").write_text("HEADWATER_HTTP_PORT=8001\nHEADWATER_LOG_LEVEL=DEBUG\n")
    monkeypatch.setenv("HEADWATER_HTTP_PORT", "8002")

    assert (settings.load(Settings).http_port, settings.load(Settings).log_level) == (8002, "DEBUG")


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("HEADWATER_HTTP_PORT", "http", "valid integer"),
        ("HEADWATER_EVENTSTOREDB_PORT", "65536", "less than or equal to 65535"),
        ("HEADWATER_EVENTSTOREDB_URI", "http://localhost:2113", "esdb://"),
        ("HEADWATER_POSTGRES_URI", "mysql://localhost", "postgresql://"),
        ("HEADWATER_LOG_LEVEL", "loud", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("HEADWATER_API_TOKEN", "short", "16 to 256"),
        ("HEADWATER_HTTP_HOST", "0.0.0.0", "HEADWATER_API_TOKEN"),
        ("HEADWATER_HTTP_HOST", "api.example", "HEADWATER_API_TOKEN"),
        (
            "HEADWATER_BACKPRESSURE_REFUSE_SECONDS",
            "10",
            "above HEADWATER_BACKPRESSURE_SLOW_SECONDS",
        ),
        ("HEADWATER_BACKPRESSURE_SLOW_SECONDS", "0", "greater than 0"),
        ("HEADWATER_EVENT_STORE", "sqlite", "'eventstoredb'"),
    ],
)
def test_a_bad_value_is_named_with_what_would_be_right(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, right: str
) -> None:
    """The message is one line: the variable, what is wrong, what would be right."""
    monkeypatch.setenv(name, value)

    with pytest.raises(InvalidSettings) as refused:
        settings.load(Settings)

    assert str(refused.value).startswith(f"{name}: ")
    assert right in str(refused.value)
    assert "\n" not in str(refused.value)


# only: reference
def test_one_setting_chooses_the_event_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """EventStoreDB unless it is said otherwise; then one server holds everything."""
    monkeypatch.setenv("HEADWATER_POSTGRES_URI", "postgresql://db")
    assert (settings.load(Settings).event_store, settings.load(Settings).events_at) == (
        "eventstoredb",
        {},
    )

    monkeypatch.setenv("HEADWATER_EVENT_STORE", "postgres")
    assert settings.load(Settings).events_at == {"postgres_uri": "postgresql://db"}
    assert settings.load(Settings).servers == ("postgres_uri",)

    monkeypatch.setenv("HEADWATER_EVENTSTOREDB_URI", "esdb://db:2113")
    with pytest.raises(
        InvalidSettings, match=r"^HEADWATER_EVENTSTOREDB_URI: nothing would be read"
    ):
        settings.load(Settings)


def test_events_in_dynamodb_need_no_address() -> None:
    """AWS's has none. What leads to DynamoDB is refused where nothing would be kept there."""
    chosen = {"HEADWATER_EVENT_STORE": "dynamodb"}
    assert parse(Settings, chosen).events_at == {"dynamodb_table_prefix": "headwater-"}
    for name, value in (
        ("HEADWATER_DYNAMODB_URI", "http://127.0.0.1:4566"),
        ("HEADWATER_DYNAMODB_REGION", "eu-central-1"),
        ("HEADWATER_DYNAMODB_TABLE_PREFIX", "shop-"),
    ):
        assert value in parse(Settings, {**chosen, name: value}).events_at.values()
        with pytest.raises(InvalidSettings, match=f"{name}: nothing .* choose dynamodb"):
            parse(Settings, {name: value})
    with pytest.raises(InvalidSettings, match=r"EVENTSTOREDB_URI: nothing .*_STORE=dynamodb"):
        parse(Settings, {**chosen, "HEADWATER_EVENTSTOREDB_URI": "esdb://db:2113"})


# end: reference
@pytest.mark.parametrize("given", ["api.example,web.example", " api.example,  web.example "])
def test_a_list_is_separated_by_commas(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    """As a person writes it; spaces do not matter."""
    monkeypatch.setenv("HEADWATER_TRUSTED_HOSTS", given)

    assert settings.load(Settings).trusted_hosts == ("api.example", "web.example")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_token(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """What only this machine can reach is open to this machine."""
    monkeypatch.setenv("HEADWATER_HTTP_HOST", host)

    assert settings.load(Settings).http_host == host


def test_elsewhere_needs_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a token the service may listen where others can reach it."""
    monkeypatch.setenv("HEADWATER_HTTP_HOST", "0.0.0.0")
    monkeypatch.setenv("HEADWATER_API_TOKEN", "sixteen-letters!")

    assert settings.load(Settings).http_host == "0.0.0.0"


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a refusal nor a printed setting gives away what is secret."""
    monkeypatch.setenv("HEADWATER_API_TOKEN", "hush-hush-hush-hush")
    assert "hush" not in repr(settings.load(Settings))

    monkeypatch.setenv("HEADWATER_EVENTSTOREDB_URI", "http://admin:hush@host")
    with pytest.raises(InvalidSettings) as refused:
        settings.load(Settings)
    assert "hush" not in str(refused.value)


def test_a_token_that_is_refused_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is too short, and in use somewhere all the same."""
    monkeypatch.setenv("HEADWATER_API_TOKEN", "hush")
    with pytest.raises(InvalidSettings, match="HEADWATER_API_TOKEN") as refused:
        settings.load(Settings)

    assert "hush" not in str(refused.value)


def test_an_address_is_shown_without_its_password() -> None:
    """Host and user stay readable."""
    shown = without_password("postgresql://user:hush@db:5432/orders?sslmode=require")

    assert shown == "postgresql://user:…@db:5432/orders?sslmode=require"
    assert without_password("esdb://db:2113?tls=false") == "esdb://db:2113?tls=false"


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("EVENT_STOR", "EVENT_STORE"),
        ("event_stor", "EVENT_STORE"),
        ("EVENTSTORE_URI", "EVENTSTOREDB_URI"),
        ("POSTGRESQL_URI", "POSTGRES_URI"),
        ("HTTP_PROT", "HTTP_PORT"),
        ("API_TOKENS", "API_TOKEN"),
        ("HEADWATER_HOEM", "HOME"),
        ("HEADWATER_EVENT_STOR", "EVENT_STORE"),
        ("headwater_event_stor", "EVENT_STORE"),
        ("HEADWATER_POSTGRES", "POSTGRES_URI"),
        ("HEADWATER_API_TOKE", "API_TOKEN"),
        ("HEADWATER_PORT", "HTTP_PORT"),
        ("HEADWATER_SPEED", "BACKPRESSURE_SLOW_SECONDS"),  # nothing is near: all are named
        ("INLINE_PROJECTION", "INLINE_PROJECTIONS"),  # only: postgres_events
    ],
)
@pytest.mark.parametrize("in_file", [True, False])
def test_a_misspelt_setting_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, right: str, in_file: bool
) -> None:
    """The message names the setting that is meant, with the prefix; nothing starts without it."""
    if in_file:
        (tmp_path / ".env").write_text(f"{name}=postgres\n")
    else:
        monkeypatch.setenv(name, "postgres")
    with pytest.raises(InvalidSettings, match=rf"^{name.upper()}: .*\bHEADWATER_{right}\b"):
        settings.load(Settings)


def test_what_others_set_is_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of other programs, links of Kubernetes, and any name beside the right one."""
    for name in (
        *("HTTP_PROXY", "HTTPS_PORT", "POSTGRES_USER", "DATA_DIR", "GITHUB_API_TOKEN", "LOGLEVEL"),
        *("HEADWATER_SERVICE_HOST", "HEADWATER_SERVICE_PORT", "HEADWATER_SERVICE_PORT_HTTP"),
        *("HEADWATER_PORT_8000_TCP_ADDR", "HOME", "PREFIX"),
    ):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("POSTGRES_URL", "postgres://other")
    monkeypatch.setenv("HEADWATER_POSTGRES_URI", "postgresql://ours")

    assert settings.load(Settings).postgres_uri == "postgresql://ours"
    assert settings.load(Settings).home == Path(".headwater")


@pytest.mark.parametrize(
    "name", ["HEADWATER_PORT", "HEADWATER_EVENTSTOREDB_PORT", "EVENTSTOREDB_PORT", "HTTP_PORT"]
)
def test_a_port_that_an_orchestrator_announces_is_not_ours(name: str) -> None:
    """Kubernetes sets ``EVENTSTOREDB_PORT=tcp://…`` where a service is called eventstoredb."""
    found = parse(Settings, {name: "tcp://10.0.0.7:2113"})

    assert found == Settings()


def test_a_prefix_may_look_like_what_an_orchestrator_announces() -> None:
    """A setting of *Loan Service* is misspelt all the same, without host and port together."""

    class LoanService(Settings):
        prefix: ClassVar[str] = "LOAN_SERVICE_"

    with pytest.raises(InvalidSettings, match=r"^LOAN_SERVICE_PORT: .*LOAN_SERVICE_HTTP_PORT"):
        parse(LoanService, {"LOAN_SERVICE_PORT": "8080"})
    found = parse(LoanService, {"LOAN_SERVICE_PORT": "80", "LOAN_SERVICE_HOST": "10.0.0.7"})
    assert found == LoanService()
    links = {"LOAN_SERVICE_PORT": "tcp://10.0.0.7:80", "LOAN_SERVICE_PORT_80_TCP_ADDR": "10.0.0.7"}
    assert parse(LoanService, links) == LoanService()


@pytest.mark.parametrize("field", Settings.once_unprefixed)
def test_the_names_of_earlier_releases_are_understood(field: str) -> None:
    """Each setting that once had no prefix is set by its old name, too."""
    for name in (field.upper(), field.lower(), f"HEADWATER_{field.upper()}"):
        with pytest.raises(InvalidSettings, match=f"^HEADWATER_{field.upper()}: ") as refused:
            parse(Settings, {name: "\0"})  # no setting can have that
        assert "\n" not in str(refused.value)


def test_a_setting_with_two_values_is_refused() -> None:
    """The old name and the new one with different values: both are named, and no value is shown."""
    both = {"API_TOKEN": "sixteen-letters!", "HEADWATER_API_TOKEN": "sixteen-letters?"}
    with pytest.raises(InvalidSettings, match=r"^HEADWATER_API_TOKEN and API_TOKEN: ") as refused:
        parse(Settings, both)

    assert "sixteen" not in str(refused.value)
    assert parse(Settings, {"HTTP_PORT": "1", "HEADWATER_HTTP_PORT": "1"}).http_port == 1
    assert parse(Settings, {"HTTP_PORT": "", "HEADWATER_HTTP_PORT": "1"}).http_port == 1


def test_the_environment_overrules_the_file_under_either_name() -> None:
    """A file with old names does not get in the way of an environment with new ones."""
    for file, environment in (("HTTP_PORT", "HEADWATER_HTTP_PORT"), ("HEADWATER_HTTP_PORT",) * 2):
        assert parse(Settings, {file: "1"}, {environment: "2"}).http_port == 2
    assert parse(Settings, {"HEADWATER_HTTP_PORT": "1"}, {"HTTP_PORT": "2"}).http_port == 2


class _Library(Settings):
    """A service of another name, with a setting of its own."""

    prefix = "LIBRARY_"

    days: int = 28
    """For how long a book is lent"""


def test_a_service_has_a_prefix_and_settings_of_its_own() -> None:
    """Its variables and messages have its prefix, and ``HEADWATER_`` is not its own."""
    found = parse(_Library, {"LIBRARY_HTTP_PORT": "1", "LIBRARY_DAYS": "7", "HEADWATER_DAYS": "x"})

    assert (found.http_port, found.days) == (1, 7)
    assert found.name_of("days") == "LIBRARY_DAYS"
    with pytest.raises(InvalidSettings, match=r"^LIBRARY_HTTP_HOST: .* set LIBRARY_API_TOKEN"):
        parse(_Library, {"LIBRARY_HTTP_HOST": "0.0.0.0"})
    assert parse(_Library, {"DAYS": "7"}).days == 28  # it never had that name


@pytest.mark.parametrize("prefix", ["", "LIBRARY", "library_", "1_", "_"])
def test_a_prefix_sets_names_apart(prefix: str) -> None:
    """Without one, HOME would be the home of the service, and PATH a setting that is unknown."""
    with pytest.raises(ValueError, match=f"^{prefix!r} is not a prefix of settings"):
        type("Wrong", (Settings,), {"prefix": prefix, "__module__": __name__})


def test_every_setting_is_described() -> None:
    """References and ``headwater settings`` are made from it, and say what each setting is for."""
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize("content", [b"HEADWATER_HTTP_HOST=\xff\n", b"HEADWATER_HOME=a\0b\n"])
def test_a_file_of_settings_is_text(tmp_path: Path, content: bytes) -> None:
    """Bytes that are no UTF-8, and NUL, get a sentence."""
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(InvalidSettings):
        settings.load(Settings)


def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named before anybody tries to connect."""
    monkeypatch.setenv("HEADWATER_POSTGRES_URI", "postgresql://[::1")
    with pytest.raises(InvalidSettings, match="HEADWATER_POSTGRES_URI"):
        settings.load(Settings)


def test_a_percent_sign_that_stands_for_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a driver says so, and shows the password around it."""
    monkeypatch.setenv("HEADWATER_POSTGRES_URI", "postgresql://user:hu%sh@db/orders")
    with pytest.raises(InvalidSettings, match="%25") as refused:
        settings.load(Settings)
    assert "hu%sh" not in str(refused.value)


def test_a_password_in_a_query_is_not_shown_either() -> None:
    """PostgreSQL takes it there, too."""
    shown = without_password("postgresql://db/orders?user=me&password=hush&sslpassword=hush")

    assert "hush" not in shown
    assert "user=me" in shown


@pytest.mark.parametrize(
    "servers",
    [
        {"postgres_uri": "postgresql://user:hush@127.0.0.1:1/orders?nope=1"},
        {
            "postgres_uri": "postgresql://user:hush@127.0.0.1:1/orders",
            "eventstoredb_uri": "esdb://user:hush@127.0.0.1:1?nope=1",
        },
    ],
)
async def test_an_address_that_a_driver_cannot_read_is_a_wrong_setting(
    servers: dict[str, str],
) -> None:
    """The setting is named, at once, and the password is not shown."""
    container = wired(BANK, settings.load(Settings, **servers))
    part = "read_side" if len(servers) == 1 else "event_side"
    with pytest.raises(
        InvalidSettings, match=r"^HEADWATER_\w+_URI: not an address of .*(?i:nope)"
    ) as refused:
        async with opened(container, part):
            pass
    assert "hush" not in str(refused.value)


# only: reference
@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"HEADWATER_EVENT_STORE": "postgres"}, "read models are in the database of the events"),
        ({"HEADWATER_POSTGRES_URI": "postgresql://h"}, "nothing would be read or written there"),
    ],
)
def test_read_models_are_in_one_place(variables: dict[str, str], sentence: str) -> None:
    """What contradicts `read_models=dynamodb` is refused with the way out."""
    with pytest.raises(InvalidSettings, match=sentence):
        parse(Settings, {"HEADWATER_READ_MODELS": "dynamodb", **variables})


# end: reference


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("EVENTSTOREDB_URI", "esdb"),
        ("POSTGRES_URI", "postgresql"),
        ("OPENSEARCH_URI", "https"),  # only: opensearch
    ],
)
@pytest.mark.parametrize("password", ["se@same", "se/same", "se?same", "se#same", "se%same"])
def test_a_password_in_an_address_is_written_with_percent(
    name: str, scheme: str, password: str
) -> None:
    """What would end the password, or the host, too early is refused, and not repeated."""
    line = refused(f"HEADWATER_{name}", f"{scheme}://reader:{password}@host")
    assert "%25" in line
    assert "same" not in line
