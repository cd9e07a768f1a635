"""What every list looks like on a terminal, and as data, on the bundled history."""

import csv
import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest

from infrastructure.cli.main import command_line
from infrastructure.shop.program import PROGRAM
from tests.infrastructure.test_cli_forms import commands
from tests.shop.e2e.cli import COMMAND, Service, cli, environment, running, until

ORDER: Final = {"lines": [{"sku": "85123A", "quantity": 6, "unit_price": "2.55 GBP"}]}
LISTS: Final = (
    ("orders", "--limit", "5"),
    ("orders", "--country", "Germany", "--from", "2011-01-01", "--to", "2011-12-31"),
    ("sales", "--limit", "5"),
    ("customers", "--limit", "5"),
    ("products", "heart", "--limit", "5"),
    ("sagas", "list", "--status", "all"),
    ("projections", "list"),
    ("parked", "list"),
    ("streams", "--limit", "5"),
    ("streams", "--changed", "--limit", "5"),
    ("events", "list", "--limit", "5"),
    ("events", "list", "--category", "order", "--since", "7d", "--limit", "5"),
    ("audit-trail",),
    ("keys", "list"),
    ("exchanges", "list"),
    ("warehouse", "picks", "--limit", "5"),
    ("customers", "12348", "--orders"),
    ("projections", "actions", "order_summary"),
    ("trace", "req-1"),
)
WIDTHS: Final = (40, 60, 80, 200)
WIDE: Final = 10_000
OTHERS: Final = ("stream", "history", "simulate", "parked replay")
"""Commands with a limit that list nothing, or the whole of one thing."""
KEYS: Final = ("order_id", "customer_id", "day", "status", "sku", "stream", "key")
"""What a person copies out of a list; it is never broken."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The bundled history, and one order that its saga has fulfilled."""
    with running(tmp_path_factory.mktemp("terminal") / "home") as service:
        service.wait_for_welcome()
        service.post("/stock/85123A/receipts", {"quantity": 100})
        service.post("/orders", ORDER, headers={"X-Correlation-ID": "req-1"})

        def fulfilled() -> bool:
            told = cli(service.home, "sagas", "list", "--status", "completed", "--json")
            return len(json.loads(told.stdout)["sagas"]) == 1

        until(fulfilled, service)
        cli(service.home, "projections", "list", "--watch")  # until every read model has all
        yield service


def rows(document: Any) -> list[dict[str, Any]]:
    """The list in a document of JSON."""
    if isinstance(document, list):
        return document
    lists = [one for one in document.values() if isinstance(one, list)]
    return list(lists[0]) if lists else [document]


def pieces(text: str) -> set[str]:
    """What is never broken: words, and the dates, amounts and options that have a space."""
    spaced = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ|[\d,.]+ [A-Z]{3}\b|--after (?:'[^']+'|\S+)"
    return {*re.findall(spaced, text), *text.split()} - {"--after"}


def settled(looks: list[str]) -> set[str]:
    """The pieces of all looks, without those that a moment changes: ages and rates."""
    common = set[str].intersection(*map(pieces, looks))
    return {one for one in common if len(one) > 3 and "'" not in one and not one.endswith("/s")}


def test_every_list_is_tried() -> None:
    """A list that is added later is one of those that are tried here."""
    app = command_line(PROGRAM)
    lists = {name for name, options in commands(app) if "--limit" in options or "list" in name}
    tried = {name for name in lists for one in LISTS if " ".join(one).startswith(name)}

    assert lists - tried - {"settings", *OTHERS} == set()


def test_lists_fit_every_width(service: Service) -> None:
    """No line is longer than the terminal, unless a single value is: ids, dates, statuses and
    numbers stand in one piece, also the place at which the next page begins."""
    asked = {"commands": LISTS, "widths": [WIDE, *WIDTHS, WIDE]}
    told = subprocess.run(
        [sys.executable, "-m", "tests.shop.e2e.at_widths"],
        input=json.dumps(asked),
        env=environment(service.home, {}),
        capture_output=True,
        text=True,
        check=True,
    )
    printed = json.loads(told.stdout)
    whole = defaultdict[tuple[str, ...], list[str]](list)
    for arguments, width, _, out, _ in printed:
        if width == WIDE:
            whole[tuple(arguments)].append(out)
    for arguments, width, code, out, err in printed:
        assert (code, err) == (0, ""), (arguments, err)
        looks = whole[tuple(arguments)]
        known = set[str].union(*map(pieces, looks))
        parts = re.compile("|".join(map(re.escape, sorted(known, key=len, reverse=True))))
        for line in out.splitlines():
            assert len(line) <= width or parts.fullmatch(line.strip()), (arguments, width, line)
        lost = {one for one in settled(looks) - pieces(out) if one not in out}
        assert lost == set(), (arguments, width)


@pytest.mark.parametrize("arguments", LISTS, ids=" ".join)
def test_a_list_fits_the_terminal(service: Service, arguments: tuple[str, ...]) -> None:
    """At 80 columns no line is longer, and no id, day or status is broken; as JSON and as CSV it
    has the same items, and no colour gets into a file. A list in pages has a total, or a bound."""
    narrow = cli(service.home, *arguments, COLUMNS="80")
    document = json.loads(cli(service.home, *arguments, "--json").stdout)
    table = list(csv.DictReader(io.StringIO(cli(service.home, *arguments, "--csv").stdout)))

    assert narrow.returncode == 0, narrow.stderr
    assert [line for line in narrow.stdout.splitlines() if len(line) > 80] == []
    assert "\x1b" not in narrow.stdout
    items = rows(document)
    if "after" in document:
        assert document["total"] >= len(items)
    if arguments[0] != "trace":
        assert len(table) == len(items)
    for item in items:
        for key in filter(None, (item.get(name) for name in KEYS)):
            assert str(key) in narrow.stdout


def test_orders_come_newest_first_with_their_totals(service: Service) -> None:
    """Filters by country and day hold, and the totals are those of all pages."""
    asked = ("orders", "--country", "Germany", "--from", "2011-01-01", "--to", "2011-12-31")
    found = json.loads(cli(service.home, *asked, "--limit", "3", "--json").stdout)
    every = json.loads(cli(service.home, *asked, "--limit", "500", "--json").stdout)

    days = [order["placed_at"] for order in every["orders"]]
    assert days == sorted(days, reverse=True)
    assert {order["country"] for order in every["orders"]} == {"Germany"}
    assert len(found["orders"]) == 3
    assert found["totals"] == every["totals"]
    assert found["totals"][0]["orders"] == len(every["orders"])


def test_a_request_is_traced_from_http_to_its_last_event(service: Service) -> None:
    """By correlation id, by the id of the order, and by an event: the same tree, which begins
    with the order and ends with its saga."""
    found = json.loads(cli(service.home, "trace", "req-1", "--json").stdout)
    first, last = found["steps"][0], found["steps"][-1]
    order = first["stream"].removeprefix("order-")

    assert (first["type"], first["origin"], last["type"]) == (
        "OrderPlaced",
        "request",
        "SagaCompleted",
    )
    for name in (order, f"order-{order}@1", first["id"]):
        again = json.loads(cli(service.home, "trace", name, "--json").stdout)
        assert [one["id"] for one in again["steps"]] == [one["id"] for one in found["steps"]]


def test_an_event_and_its_stream_are_explained(service: Service) -> None:
    """Cause, effects and read models of an event; the state of its stream at a version."""
    trace = json.loads(cli(service.home, "trace", "req-1", "--json").stdout)
    stream = trace["steps"][0]["stream"]

    event = json.loads(cli(service.home, "events", "show", f"{stream}@1", "--json").stdout)
    state = json.loads(cli(service.home, "history", stream, "--at", "0", "--json").stdout)

    assert (event["type"], event["cause"]["type"]) == ("OrderConfirmed", "StepBegun")
    assert {one["read_model"]: one["has_it"] for one in event["taken_in"]}["order_summary"]
    assert (state["type"], state["state"]["status"]) == ("OrderPlaced", "placed")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("trace", "nothing-of-that-name"), 1),
        (("events", "show", "order-1@7"), 1),
        (("events", "show", "rubbish"), 1),
        (("history", "order-none"), 1),
        (("events", "list", "--limit", "0"), 2),
        (("events", "list", "--after", "rubbish"), 2),
        (("streams", "--changed", "--prefix", "order"), 2),
        (("orders", "--status", "lost"), 2),
        (("orders", "--json", "--csv"), 2),
        (("orders", "--from", "2012-01-01", "--to", "2011-01-01"), 2),
    ],
)
def test_what_is_wrong_is_said(service: Service, arguments: tuple[str, ...], code: int) -> None:
    """One line without a traceback; 1: there is no such thing, 2: an argument is wrong."""
    ended = cli(service.home, *arguments)

    assert (ended.returncode, ended.stdout) == (code, "")
    assert "Traceback" not in ended.stderr


def test_a_reader_may_close_the_pipe(service: Service) -> None:
    """As `head` does: the command ends without a traceback."""
    command = subprocess.Popen(
        [*COMMAND, "events", "list", "--limit", "500"],
        env=environment(service.home, {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert command.stdout is not None
    command.stdout.readline()
    command.stdout.close()

    assert command.stderr is not None
    assert command.stderr.read() == ""
    assert command.wait() in (0, 1)


def on_a_terminal(service: Service, columns: int, *arguments: str, **settings: str) -> str:
    """What a command prints on a terminal of that width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    given = {**environment(service.home, settings), "TERM": settings.get("TERM", "xterm")}
    given.pop("COLUMNS")
    command = [*COMMAND, *arguments]
    with subprocess.Popen(command, env=given, stdin=theirs, stdout=theirs, stderr=theirs) as shown:
        os.close(theirs)
        printed = b""
        with suppress(OSError):  # as Linux ends it
            while some := os.read(ours, 65_536):
                printed += some
    os.close(ours)
    assert shown.returncode == 0, printed
    return printed.decode().replace("\r\n", "\n")


def test_a_terminal_gets_colours_and_its_width(service: Service) -> None:
    """With ``NO_COLOR``, and where it has none, the same lines without them."""
    asked = ("projections", "list")
    coloured = on_a_terminal(service, 60, *asked)
    plain = [
        on_a_terminal(service, 60, *asked, NO_COLOR="1"),
        on_a_terminal(service, 60, *asked, TERM="dumb"),
    ]

    assert "\x1b[32mlive" in coloured
    for one in plain:
        assert "\x1b" not in one
        assert max(map(len, one.splitlines())) <= 60
    heads = [re.sub("\x1b\\[[0-9;]*m", "", one).splitlines()[0] for one in (coloured, *plain)]
    assert len({head.rstrip() for head in heads}) == 1


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16"])
def test_a_terminal_of_another_encoding(service: Service, encoding: str) -> None:
    """What it lacks is escaped: no list fails for it."""
    command = [*COMMAND, "products", "--limit", "3"]
    given = {**environment(service.home, {}), "PYTHONIOENCODING": encoding, "LC_ALL": "C"}
    shown = subprocess.run(command, env=given, capture_output=True, check=False)

    assert (shown.returncode, shown.stderr) == (0, b"")
    assert "3 of at least 4 products" in shown.stdout.decode(encoding)


def test_the_version(tmp_path: Path) -> None:
    """`--version` names the service and the kit, and needs nothing else."""
    shown = cli(tmp_path / "none", "--version")

    assert re.fullmatch(r"headwater \d+\.\d+\.\d+ \(kit \d+\.\d+\.\d+.*\)\n", shown.stdout)
    assert shown.returncode == 0
