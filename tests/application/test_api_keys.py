"""API keys: issued once, revoked once, and never stored as they are."""

from datetime import UTC, datetime, timedelta

from application.api_keys import (
    API_KEYS,
    IssueKey,
    Key,
    KeyIdTaken,
    KeyIssued,
    KeyRevoked,
    KeyText,
    RevokeKey,
    UnknownKey,
    digest,
)
from tests.specification import Specification

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
ISSUED = KeyIssued(name="billing", roles=("clerk",), digest=digest("secret"), expires_at=NOON)
ISSUE = IssueKey(name="billing", roles=("clerk",), digest=digest("secret"), expires_at=NOON)
keys = Specification(API_KEYS.decider)


def test_a_key_is_issued_once() -> None:
    """Repeating the command changes nothing; another key under its id is refused."""
    keys.given().when(ISSUE).then(ISSUED)
    keys.given(ISSUED).when(ISSUE).then_nothing()
    keys.given(ISSUED).when(ISSUE.model_copy(update={"name": "x"})).then_refused(KeyIdTaken)


def test_a_key_is_revoked_once() -> None:
    """A key that was never issued cannot be."""
    revoke = RevokeKey(reason="leaked")
    keys.given(ISSUED).when(revoke).then(KeyRevoked(reason="leaked"))
    keys.given(ISSUED, KeyRevoked(reason="old")).when(revoke).then_nothing()
    keys.given().when(revoke).then_refused(UnknownKey)


def test_only_its_secret_proves_a_key() -> None:
    """Until the moment at which it expires."""
    key = API_KEYS.decider.fold([ISSUED])

    assert key.is_proved_by("secret")
    assert not key.is_proved_by("another")
    assert not key.is_proved_by(ISSUED.digest)
    assert not Key().is_proved_by("")
    assert not key.has_expired(NOON - timedelta(seconds=1))
    assert key.has_expired(NOON)


def test_a_key_is_read_as_it_was_written() -> None:
    """Every other text is no key; what a log may show of a key does not have its secret."""
    key = KeyText.new()

    assert KeyText.read(str(key)) == key
    assert KeyText.new() != key
    assert key.secret not in repr(key)
    for text in ("", "hwk_", str(key)[:-1], f"{key}x", f" {key}", str(key).upper()):
        assert KeyText.read(text) is None
