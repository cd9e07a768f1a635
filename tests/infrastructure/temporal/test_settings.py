"""Settings of saga engines, and of Temporal."""

import pytest

from infrastructure.settings import Settings
from infrastructure.settings.reading import parse
from tests.refused import refused


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("HEADWATER_SAGA_ENGINES", "transfers=airflow", "transfers=temporal"),
        ("HEADWATER_TEMPORAL_ADDRESS", "http://temporal", "temporal.example.org:7233"),
        ("HEADWATER_TEMPORAL_ADDRESS", "temporal:7233", "HEADWATER_SAGA_ENGINE=temporal"),
        ("HEADWATER_TEMPORAL_API_KEY", "secret", "HEADWATER_SAGA_ENGINE=temporal"),
        ("HEADWATER_TEMPORAL_CA_FILE", "ca.pem", "HEADWATER_TEMPORAL_TLS=true"),
    ],
)
def test_a_bad_value_is_named_with_what_would_be_right(name: str, value: str, right: str) -> None:
    """The message names what would be right, or the setting that belongs to it."""
    assert right in refused(name, value)


def test_each_saga_has_the_engine_that_is_set_for_it() -> None:
    """One for all, and others for some."""
    found = parse(Settings, {"HEADWATER_SAGA_ENGINES": "a=temporal, b=plain"})
    assert [found.engine_of(saga) for saga in ("a", "b", "c")] == ["temporal", "plain", "plain"]
    found = parse(
        Settings, {"HEADWATER_SAGA_ENGINE": "temporal", "HEADWATER_SAGA_ENGINES": "b=plain"}
    )
    assert [found.engine_of(saga) for saga in ("a", "b", "c")] == ["temporal", "plain", "temporal"]


def test_a_saga_on_temporal_has_a_page_there() -> None:
    """Where the pages are known; one of the plain engine has none."""
    pages = {"temporal_ui_uri": "http://temporal:8233/", "saga_engines": ("a=temporal",)}
    found = Settings.model_validate(pages)
    assert found.page_in_temporal("a", "o/1") == (
        "http://temporal:8233/namespaces/default/workflows/a-o%2F1"
    )
    assert found.page_in_temporal("b", "o-1") is None
