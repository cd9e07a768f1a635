"""Settings are checked once, and what is wrong is said in one line."""

from pathlib import Path

import pytest

from infrastructure import settings
from infrastructure.container import connected, wired, write_side_opened
from infrastructure.settings import InvalidSettings, without_password


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of this machine, and no ``.env`` file, reaches a test."""
    for name in settings.Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def test_nothing_has_to_be_set() -> None:
    """Without any setting: embedded servers, and the loopback interface."""
    found = settings.load()

    assert found.eventstoredb_uri is None
    assert found.postgres_uri is None
    assert (found.http_host, found.http_port) == ("127.0.0.1", 8000)
    assert found.payloads == Path(".headwater/payloads")


def test_the_environment_comes_before_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A ``.env`` file is read, and the environment overrules it."""
    (tmp_path / ".env").write_text("HTTP_PORT=8001\nLOG_LEVEL=DEBUG\n")
    monkeypatch.setenv("HTTP_PORT", "8002")

    assert (settings.load().http_port, settings.load().log_level) == (8002, "DEBUG")


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("HTTP_PORT", "http", "valid integer"),
        ("EVENTSTOREDB_PORT", "65536", "less than or equal to 65535"),
        ("EVENTSTOREDB_URI", "http://localhost:2113", "esdb://"),
        ("POSTGRES_URI", "mysql://localhost", "postgresql://"),
        ("LOG_LEVEL", "loud", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("API_TOKEN", "short", "16 to 256"),
        ("HTTP_HOST", "0.0.0.0", "API_TOKEN"),
        ("HTTP_HOST", "shop.example", "API_TOKEN"),
        ("BACKPRESSURE_REFUSE_SECONDS", "10", "above BACKPRESSURE_SLOW_SECONDS"),
        ("BACKPRESSURE_SLOW_SECONDS", "0", "greater than 0"),
        ("EVENT_STORE", "sqlite", "'eventstoredb' or 'postgres'"),
    ],
)
def test_a_bad_value_is_named_with_what_would_be_right(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, right: str
) -> None:
    """The message is one line: the variable, what is wrong, what would be right."""
    monkeypatch.setenv(name, value)

    with pytest.raises(InvalidSettings) as refused:
        settings.load()

    assert str(refused.value).startswith(f"{name}: ")
    assert right in str(refused.value)
    assert "\n" not in str(refused.value)


def test_one_setting_chooses_the_event_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """EventStoreDB unless it is said otherwise; then one server holds everything."""
    monkeypatch.setenv("POSTGRES_URI", "postgresql://db")
    assert (settings.load().event_store, settings.load().events_uri) == ("eventstoredb", None)

    monkeypatch.setenv("EVENT_STORE", "postgres")
    assert settings.load().events_uri == "postgresql://db"
    assert settings.load().server_names == ["POSTGRES_URI"]

    monkeypatch.setenv("EVENTSTOREDB_URI", "esdb://db:2113")
    with pytest.raises(InvalidSettings, match=r"^EVENTSTOREDB_URI: nothing would be read"):
        settings.load()


@pytest.mark.parametrize("given", ["order_summary,daily_sales", " order_summary,  daily_sales "])
def test_a_list_is_separated_by_commas(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    """As a person writes it; spaces do not matter."""
    monkeypatch.setenv("INLINE_PROJECTIONS", given)

    assert settings.load().inline_projections == ("order_summary", "daily_sales")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_token(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """What only this machine can reach is open to this machine."""
    monkeypatch.setenv("HTTP_HOST", host)

    assert settings.load().http_host == host


def test_elsewhere_needs_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a token the service may listen where others can reach it."""
    monkeypatch.setenv("HTTP_HOST", "0.0.0.0")
    monkeypatch.setenv("API_TOKEN", "sixteen-letters!")

    assert settings.load().http_host == "0.0.0.0"


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a refusal nor a printed setting gives away what is secret."""
    monkeypatch.setenv("API_TOKEN", "hush-hush-hush-hush")
    assert "hush" not in repr(settings.load())

    monkeypatch.setenv("EVENTSTOREDB_URI", "http://admin:hush@host")
    with pytest.raises(InvalidSettings) as refused:
        settings.load()
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("name", ["API_TOKEN", "CARRIER_TOKEN"])
def test_a_token_that_is_refused_is_not_shown(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """It is too short, and in use somewhere all the same."""
    monkeypatch.setenv(name, "hush")
    with pytest.raises(InvalidSettings, match=name) as refused:
        settings.load()

    assert "hush" not in str(refused.value)


def test_an_address_is_shown_without_its_password() -> None:
    """Host and user stay readable."""
    shown = without_password("postgresql://shop:hush@db:5432/orders?sslmode=require")

    assert shown == "postgresql://shop:…@db:5432/orders?sslmode=require"
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
        ("HEADWATER_HOEM", "HEADWATER_HOME"),
        ("HEADWATER_EVENT_STORE", "EVENT_STORE"),
        ("INLINE_PROJECTION", "INLINE_PROJECTIONS"),
    ],
)
@pytest.mark.parametrize("in_file", [True, False])
def test_a_misspelt_setting_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, right: str, in_file: bool
) -> None:
    """Nobody runs on another store than the one that was meant."""
    if in_file:
        (tmp_path / ".env").write_text(f"{name}=postgres\n")
    else:
        monkeypatch.setenv(name, "postgres")
    with pytest.raises(InvalidSettings, match=rf"(?s)^{name.upper()}: .*\b{right}\b"):
        settings.load()


def test_what_others_set_is_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of other programs, links of Kubernetes, and any name beside the right one."""
    for name in (
        *("HTTP_PROXY", "HTTPS_PORT", "POSTGRES_USER", "DATA_DIR", "GITHUB_API_TOKEN", "LOGLEVEL"),
        *("HEADWATER_PORT", "HEADWATER_SERVICE_HOST", "HEADWATER_PORT_8000_TCP_ADDR"),
    ):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("POSTGRES_URL", "postgres://other")
    monkeypatch.setenv("POSTGRES_URI", "postgresql://ours")

    assert settings.load().postgres_uri == "postgresql://ours"


@pytest.mark.parametrize("content", [b"HTTP_HOST=\xff\n", b"HEADWATER_HOME=a\0b\n"])
def test_a_file_of_settings_is_text(tmp_path: Path, content: bytes) -> None:
    """Bytes that are no UTF-8, and NUL, get a sentence."""
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(InvalidSettings):
        settings.load()


def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named before anybody tries to connect."""
    monkeypatch.setenv("CARRIER_URI", "http://[::1")
    with pytest.raises(InvalidSettings, match="CARRIER_URI"):
        settings.load()


def test_a_percent_sign_that_stands_for_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a driver says so, and shows the password around it."""
    monkeypatch.setenv("POSTGRES_URI", "postgresql://shop:hu%sh@db/orders")
    with pytest.raises(InvalidSettings, match="%25") as refused:
        settings.load()
    assert "hu%sh" not in str(refused.value)


def test_a_password_in_a_query_is_not_shown_either() -> None:
    """PostgreSQL takes it there, too."""
    shown = without_password("postgresql://db/orders?user=shop&password=hush&sslpassword=hush")

    assert "hush" not in shown
    assert "user=shop" in shown


@pytest.mark.parametrize(
    "servers",
    [
        {"postgres_uri": "postgresql://shop:hush@127.0.0.1:1/orders?nope=1"},
        {
            "postgres_uri": "postgresql://shop:hush@127.0.0.1:1/orders",
            "eventstoredb_uri": "esdb://shop:hush@127.0.0.1:1?nope=1",
        },
    ],
)
async def test_an_address_that_a_driver_cannot_read_is_a_wrong_setting(
    servers: dict[str, str],
) -> None:
    """The setting is named, at once, and the password is not shown."""
    container = wired(settings.load(**servers))
    opened = connected(container) if len(servers) == 1 else write_side_opened(container)
    with pytest.raises(InvalidSettings, match=r"_URI is not usable.*(?i:nope)") as refused:
        async with opened:
            pass
    assert "hush" not in str(refused.value)
