"""Filters: .NET's regular expressions, and bounds within which one client's filter has to stay."""

import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState

from embedded_eventstoredb import NodeProcess
from embedded_eventstoredb.errors import Refusal
from embedded_eventstoredb.filters import parse_filter
from embedded_eventstoredb.storage import Record
from reading import START, SUBSCRIPTION, Reading, by_type, of_all
from waiting import PATIENCE

ANY = StreamState.ANY
_PROPERTIES = pytest.mark.skipif(find_spec("regex") is None, reason="Python's own has none")


@pytest.fixture
def reading(node: NodeProcess) -> Iterator[Reading]:
    reading = Reading(node.uri)
    yield reading
    reading.close()


def finds(expression: str, text: str) -> bool:
    record = Record(0, "order-1", 0, b"", text, 0, 0, b"", b"")
    return parse_filter(by_type(regex=expression))(record)


@pytest.mark.parametrize(
    ("expression", "found", "not_found"),
    [
        ("Placed", ["OrderPlaced"], ["orderplaced"]),
        (r"^(?<who>Order)(?i)PLACED$", ["OrderPlaced", "Orderplaced"], ["ORDERplaced"]),
        ("a(?i)b|c", ["aB", "C"], ["AB"]),
        ("(?i:a)b", ["Ab"], ["AB"]),
        ("(?i)a(?-i)b", ["Ab"], ["AB"]),
        (r"(?'n'.)\k<n>", ["xaax"], ["abc"]),
        (r"^(?<n>.)(.)\1\2$", ["abba"], ["abab"]),  # groups without a name come first
        (r"^(a)?(?(1)b|c)$", ["ab", "c"], ["b", "ac"]),
        ("^[a-z-[aeiou]]+$", ["xyz"], ["xay"]),
        ("^[]a]+$", ["]a]"], ["[a"]),
        ("^[[:a]+$", ["[:a"], ["]"]),
        ("^order-{id}$", ["order-{id}"], ["order-1"]),
        (r"\Aa\z", ["a"], ["a\n"]),
        (r"\Aa\Z", ["a", "a\n"], ["a\n\n"]),
        (r"^\u0041\x42\t\cA\e$", ["AB\t\x01\x1b"], ["AB"]),
        pytest.param(r"^\p{IsGreek}\p{Lu}\P{Lu}$", ["λAa"], ["lAa", "λAA"], marks=_PROPERTIES),
        ("(?x) ^ a b   # ( a comment\n c $", ["abc"], ["a b c"]),
        (r"(?n)^(a)(?<b>b)\1$", ["abb"], ["aba"]),
        (r"(?<!\$)Placed(?!Again)", ["OrderPlaced"], ["$Placed", "PlacedAgain"]),
        ("^(?!(\\$.+)$).*$", ["OrderPlaced"], ["$metadata"]),
        ("(?>a+)b", ["aab"], ["aa"]),
        ("^a{2}b{1,}c{0,1}?(?#no more)$", ["aabb", "aabc"], ["ab"]),
        ("a{,3}", ["a{,3}"], ["aaa"]),
    ],
)
def test_expressions_are_those_of_dotnet(
    expression: str, found: list[str], not_found: list[str]
) -> None:
    """An expression means what it means to .NET."""
    assert [text for text in found + not_found if finds(expression, text)] == found


@pytest.mark.parametrize(
    "expression",
    ["(", ")", "[", "[b-a]", "a**", "a++", "*a", r"\q", r"\_", "\\", "(?P<n>a)", "(?R)",
        "(?<a-b>x)", r"\1", r"(a)\2", r"\k<no>", "(?(no)a)", r"\p{Nothing}", "[a-z-[aeiou]b]"],
)  # fmt: skip  # as many as fit
def test_no_expressions(expression: str) -> None:
    """What .NET does not understand is refused with a reason, at once."""
    with pytest.raises(Refusal, match="is not a regular expression: "):
        finds(expression, "a")


@pytest.mark.parametrize(
    "expression", ["^(a|aa)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*)(.*)(.*)(.*)(.*)[^a!]$"]
)
def test_expressions_take_little_time(expression: str) -> None:
    """A search that does not come to an end is given up, and the filter refused."""
    pytest.importorskip("regex")
    started = time.thread_time()
    with pytest.raises(Refusal, match="takes too long: give a simpler expression"):
        finds(expression, "a" * 3_000 + "!")
    assert time.thread_time() - started < 1


def test_many_searches_take_little_time() -> None:
    """Searches that each come to an end late add up, and the filter is refused."""
    wanted = parse_filter(by_type(regex="(.*)(.*)(.*)[^a]$"))
    types = ["a" * (60 + number % 30) + f"{number}a" for number in range(10_000)]
    records = [Record(0, "order-1", 0, b"", type, 0, 0, b"", b"") for type in types]
    started = time.thread_time()
    with pytest.raises(Refusal, match="takes too long"):
        list(filter(wanted, records))
    assert time.thread_time() - started < 2


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (by_type(regex="a|" * 524_288), "too long: an expression has 16384 characters"),
        (by_type(regex="(" * 8_000 + ")" * 8_000), "not a regular expression: it is nested"),
        (by_type(*map(str, range(1_001))), "A filter takes 1000 prefixes, not 1001"),
        (by_type("a", window=0), "must be 1 or more"),
        (by_type("a", multiplier=0), "must be 1 or more"),
    ],
)
def test_filters_have_bounds(reading: Reading, asked: object, said: str) -> None:
    """A filter beyond a bound is refused, in a sentence that names it."""
    code, text = reading.refusal(**of_all(**START), subscription=SUBSCRIPTION, filter=asked)
    assert (code, said in text) == ("INVALID_ARGUMENT", True)
    assert len(text) < 300


def test_windows_may_be_enormous(reading: Reading) -> None:
    """The largest window and multiplier that can be written cost nothing."""
    answers = reading.answers(
        **of_all(**START), subscription=SUBSCRIPTION, until="caught_up",
        filter=by_type("None", window=2**32 - 1, multiplier=2**32 - 1),
    )  # fmt: skip  # where, how far, and how often
    assert len(answers) <= 3


def test_others_are_not_held_up(node: NodeProcess, stream: str) -> None:
    """While one client repeats a request that takes too long, others are answered."""
    pytest.importorskip("regex")
    reading, ends = Reading(node.uri), threading.Event()

    def ask() -> None:
        while not ends.is_set():
            asked = by_type(regex="^(a|aa)+$")
            assert "takes too long" in reading.refusal(**of_all(**START), count=1, filter=asked)[1]

    with EventStoreDBClient(node.uri) as client:
        event = NewEvent("a" * 3_000 + "!", b"")
        client.append_to_stream(stream, current_version=ANY, events=[event])
        asking = threading.Thread(target=ask)
        asking.start()
        try:
            for _ in range(10):
                started = time.monotonic()
                client.append_to_stream(stream, current_version=ANY, events=[NewEvent("b", b"")])
                assert time.monotonic() - started < PATIENCE / 6
        finally:
            ends.set()
            asking.join()
            reading.close()
