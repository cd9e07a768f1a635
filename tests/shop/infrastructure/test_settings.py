"""The settings of the shop, besides those of any service."""

import re
from pathlib import Path

import pytest

from infrastructure.settings import InvalidSettings, Settings
from infrastructure.settings.reading import parse
from infrastructure.settings.secret_files import SUFFIX, is_secret
from infrastructure.shop.settings import ShopSettings

ROOT = Path(__file__).parents[3]


def test_the_shop_has_all_settings_of_a_service_and_its_own() -> None:
    """Its own have the same prefix, and may be set by the names of earlier releases."""
    found = parse(ShopSettings, {"CARRIER_URI": "http://c", "HEADWATER_HTTP_PORT": "1"})

    assert (found.carrier_uri, found.http_port) == ("http://c", 1)
    assert set(Settings.model_fields) < set(ShopSettings.model_fields)
    assert set(ShopSettings.once_unprefixed) <= set(ShopSettings.model_fields)
    assert ShopSettings.description_of("carrier_token").count("HEADWATER_API_TOKEN") == 1


@pytest.mark.parametrize("name", ["CARRIER_TOKEN", "HEADWATER_CARRIER_TOKEN"])
def test_the_token_of_the_carrier_is_not_shown(name: str) -> None:
    """Neither where it is refused, nor where settings are printed."""
    with pytest.raises(InvalidSettings, match="HEADWATER_CARRIER_TOKEN") as refused:
        parse(ShopSettings, {name: "hush"})

    assert "hush" not in str(refused.value)
    assert "hush" not in repr(parse(ShopSettings, {name: "hush-hush-hush-hush"}))


_NAMED = re.compile(r"(?<![A-Z_])(HEADWATER_[A-Z0-9_]*[A-Z])(?![A-Z0-9_]|\.\.\.)")
_PAGES = [
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "infrastructure").rglob("*.py"),
    *ROOT.glob("docker-compose*.yml"),
    ROOT / "Dockerfile",
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",  # only: reference
]


def test_every_setting_that_is_named_exists() -> None:
    """In the documentation, the image, the compose files, and the messages of the source."""
    fields = {field: ShopSettings.name_of(field) for field in ShopSettings.model_fields}
    files = {f"{name}{SUFFIX}" for field, name in fields.items() if is_secret(ShopSettings, field)}
    known = {*fields.values(), *files}
    named = {name: page for page in _PAGES for name in _NAMED.findall(page.read_text())}
    assert len(named) > 10
    assert {name: page for name, page in named.items() if name not in known} == {}


def test_an_address_of_a_provider_is_one_of_http() -> None:
    """Another scheme is refused, with the setting's name."""
    with pytest.raises(InvalidSettings, match=r"^HEADWATER_PAYMENT_PROVIDER_URI: .*http://"):
        parse(ShopSettings, {"HEADWATER_PAYMENT_PROVIDER_URI": "ftp://payments"})
