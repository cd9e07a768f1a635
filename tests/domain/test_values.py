"""Values are valid from birth, and money is exact."""

import ast
from dataclasses import FrozenInstanceError
from decimal import Decimal
from json import dumps, loads
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from immutables import Map
from pydantic import BeforeValidator, TypeAdapter, ValidationError

import domain
from domain import decider, values
from domain.values import Id, Money, Name, Remembered
from tests.domain.value_laws import no_field_holds_a_float, takes_only
from tests.histories import LAW
from tests.sample import accounts, transfers

amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=3)
MONEY: TypeAdapter[Money] = TypeAdapter(Money)
pounds = amounts.map(lambda amount: Money(amount=amount, currency="GBP"))


# ── money ────────────────────────────────────────────────────────────────────────────────────────


@LAW
@given(money=pounds)
def test_money_is_read_as_it_was_written(money: Money) -> None:
    """Writing and reading gives the same money, as text and as JSON."""
    assert Money.parse(str(money)) == money
    assert MONEY.validate_json(MONEY.dump_json(money)) == money
    assert MONEY.dump_python(money) == str(money)


def test_money_is_written_with_its_currency_and_all_its_places() -> None:
    """Nothing is rounded, nothing is written with an exponent."""
    assert str(Money.parse("2.550 GBP")) == "2.550 GBP"
    assert str(Money(amount=Decimal("1E+3"), currency="GBP")) == "1000 GBP"


@LAW
@given(one=pounds, other=pounds, units=st.integers(0, 1000))
def test_money_is_counted_exactly(one: Money, other: Money, units: int) -> None:
    """Adding and taking away cancel out, and so many units are so many sums."""
    assert one + other - other == one
    assert one * units + one == one * (units + 1)
    assert (one < other) == (one.amount < other.amount)
    assert (one <= other) == (one.amount <= other.amount)


@pytest.mark.parametrize(
    "written",
    [
        *("2.55", "GBP", "2.55  GBP", " 2.55 GBP", "2,55 GBP", "2.55 gbp", "2.55 GBP\n", ""),
        *("1e3 GBP", "1_000 GBP", "NaN GBP", "Infinity GBP", "٣ GBP", 2.55, 2, True),
    ],
)
def test_what_is_not_money_is_told_how_to_write_it(written: object) -> None:
    """Anything but an amount, one space and a currency is refused, with an example."""
    with pytest.raises(ValidationError, match=r"is not money: .* '2\.55 GBP'"):
        MONEY.validate_python(written)
    with pytest.raises(ValidationError, match=r"is not money: .* '2\.55 GBP'"):
        MONEY.validate_json(dumps(written))
    with pytest.raises(ValueError, match=r"is not money: .* '2\.55 GBP'"):
        Money.parse(written)  # type: ignore[arg-type]  # that is the rule


def test_a_field_may_have_made_the_money_before() -> None:
    """From JSON as from a document: what a validator of the field gives is taken as it is."""
    read = TypeAdapter(Annotated[Money, BeforeValidator(lambda text: Money.parse(text.strip()))])
    made = Money.parse("2.55 GBP")
    assert read.validate_json('" 2.55 GBP "') == read.validate_python(" 2.55 GBP ") == made


def test_money_is_never_a_float() -> None:
    """An amount that has been a float is refused: it may have lost something already."""
    with pytest.raises(ValueError, match="money is never a float"):
        Money(amount=2.55, currency="GBP")  # type: ignore[arg-type]  # that is the rule


@pytest.mark.parametrize("currency", ["", "gbp", "GB", "GBPS", "G1P", "G P", "ÄÖÜ"])
def test_money_has_a_currency(currency: str) -> None:
    """Three capital letters, also where it is not read from a text."""
    with pytest.raises(ValueError, match="is not a currency"):
        Money(amount=Decimal(1), currency=currency)


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1E+18", "1E-7"])
def test_money_is_a_number_within_its_limits(amount: str) -> None:
    """Also where it is not read from a text."""
    with pytest.raises(ValueError, match="18 digits before the point"):
        Money(amount=Decimal(amount), currency="GBP")


@pytest.mark.parametrize("amount", ["0.0000001", "1000000000000000000", "-1000000000000000000"])
def test_money_is_refused_where_it_would_be_rounded(amount: str) -> None:
    """Six decimal places and eighteen digits before them are the limit."""
    with pytest.raises(ValueError, match="18 digits before the point"):
        Money.parse(f"{amount} GBP")


def test_money_that_grows_too_large_is_refused_and_not_rounded() -> None:
    """Arithmetic keeps the same limit."""
    most = Money.parse("999999999999999999.999999 GBP")
    with pytest.raises(ValueError, match=r"24 digits|18 digits"):
        most + most
    with pytest.raises(ValueError, match=r"24 digits|18 digits"):
        most * 999_999_999


def test_currencies_do_not_mix() -> None:
    """Two currencies are neither added, taken away nor compared."""
    pound, euro = Money.parse("1 GBP"), Money.parse("1 EUR")
    with pytest.raises(ValueError, match="different currencies"):
        pound + euro
    with pytest.raises(ValueError, match="different currencies"):
        pound - euro
    with pytest.raises(ValueError, match="different currencies"):
        assert pound < euro
    with pytest.raises(ValueError, match="different currencies"):
        assert pound <= euro
    assert pound != euro


def test_money_cannot_be_changed() -> None:
    """A value is a value."""
    with pytest.raises(FrozenInstanceError):
        Money.parse("1 GBP").amount = Decimal(2)  # type: ignore[misc]  # that is the rule


# ── what is remembered ───────────────────────────────────────────────────────────────────────────


@LAW
@given(entries=st.dictionaries(st.text("abcxyz", min_size=1), st.integers()))
def test_what_is_remembered_is_written_in_order_and_read_again(entries: dict[str, int]) -> None:
    """The same entries are written alike in every process, though a ``Map`` has no order."""
    remembered: TypeAdapter[Map[str, int]] = TypeAdapter(Remembered[str, int])

    written = remembered.dump_json(Map(entries))

    assert list(loads(written)) == sorted(entries)
    assert remembered.validate_json(written) == Map(entries)


# ── names ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Id, ["536365", "C536365-1", "a", "x" * 64], ["", "-a", "a b", "a/b", "x" * 65, "a\n", 1]),
        (Name, ["DHL", "Royal Mail", "/1"], ["", " ", " a", "a ", "x" * 65]),
    ],
)
def test_names_are_valid_from_birth(kind: Any, good: list[object], bad: list[object]) -> None:
    """A value takes what it names and nothing near it."""
    takes_only(kind, good, bad)


# ── no floats ────────────────────────────────────────────────────────────────────────────────────


def test_no_field_holds_a_float() -> None:
    """What any domain has is counted in integers and decimals, as is the bank."""
    no_field_holds_a_float(decider, values, accounts, transfers)


def test_no_float_is_written_in_the_domain() -> None:
    """Nor does the code hold a number with a decimal point."""
    sources = list(Path(domain.__path__[0]).glob("*.py"))
    assert {"decider.py", "values.py"} < {source.name for source in sources}
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), source
