"""The shop's simulated providers as a process: what they keep, and what earlier releases kept."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from application.ports import Declined, ProviderRefused, ProviderUnavailable
from application.shop.ports import Authorised, Booked
from domain.values import Money
from infrastructure.shop.simulated_providers import SimulatedProviders
from tests.shop.outside import over_http

TEN = Money.parse("10.00 GBP")


async def test_all_records_survive_a_stop(tmp_path: Path) -> None:
    """Every kind of entry is read again as it was written."""
    async with SimulatedProviders(tmp_path / "books") as first, over_http(first) as outside:
        await outside.payment_provider.authorise("a", "o-1", TEN)
        await outside.payment_provider.capture("c", "a", TEN)
        await outside.payment_provider.refund("r", "a", Money.parse("0.1 GBP"))
        await outside.payment_provider.void("v", "unheard of")
        await outside.carrier.book("b", "o-1", None, 3)
        await outside.carrier.cancel("x", "b")
        before = await outside.audit.payments(), await outside.audit.bookings()

    async with SimulatedProviders(tmp_path / "books") as second, over_http(second) as outside:
        assert (await outside.audit.payments(), await outside.audit.bookings()) == before
        late = await outside.payment_provider.authorise("unheard of", "o-1", TEN)
        assert not isinstance(late, Authorised)


OLD_JOURNAL = """
CREATE TABLE calls (
    number INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    key TEXT NOT NULL,
    call TEXT NOT NULL,
    content TEXT NOT NULL,
    answer TEXT NOT NULL,
    UNIQUE (provider, key)
);
CREATE TABLE faults (one INTEGER PRIMARY KEY CHECK (one = 1), told TEXT NOT NULL);
INSERT INTO calls (provider, key, call, content, answer) VALUES
    ('payments', 'a', 'authorise', '{"order_id":"o-1","amount":"10.00 GBP"}',
     '{"answer": "authorised", "reference": "A00000001"}'),
    ('payments', 'c', 'capture', '{"authorisation":"a","amount":"10.00 GBP"}',
     '{"answer": "done"}'),
    ('payments', 'v', 'void', '{"authorisation":"a"}',
     '{"refused": "it has been captured: refund it"}'),
    ('parcels', 'b', 'book', '{"order_id":"o-1","country":null,"parcels":3}',
     '{"answer": "booked", "tracking_code": "SIM000000001"}');
INSERT INTO faults VALUES (1, '{"faults":[{"kind":"decline","call":null,"order_id":"o-2",
    "above":null,"rate":1.0,"times":7,"seconds":1.0,"reason":"declined by the bank"},
    {"kind":"unavailable","call":"cancel","order_id":null,"above":null,"rate":1.0,"times":null,
    "seconds":1.0,"reason":"declined by the bank"}],"seed":3}');
"""


async def test_a_journal_of_an_earlier_release_is_understood(tmp_path: Path) -> None:
    """Its calls have their answers, its records are there, and its faults strike."""
    with closing(sqlite3.connect(tmp_path / "books")) as file:
        file.executescript(OLD_JOURNAL)

    async with SimulatedProviders(tmp_path / "books") as simulated, over_http(simulated) as outside:
        provider, carrier = outside.payment_provider, outside.carrier
        assert await provider.find("a") == Authorised("A00000001")
        assert await carrier.find("b") == Booked("SIM000000001")
        with pytest.raises(ProviderRefused, match="refund it"):
            await provider.void("v", "a")
        assert [each.captured for each in await outside.audit.payments()] == [TEN]
        assert await provider.authorise("d", "o-2", TEN) == Declined("declined by the bank")
        assert isinstance(await provider.authorise("e", "o-3", TEN), Authorised)
        with pytest.raises(ProviderUnavailable):
            await carrier.cancel("x", "b")
