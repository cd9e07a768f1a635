"""``headwater add``: names, commands, and what is put into pages, each by itself."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from infrastructure.cli.adding import commands_given, scopes
from infrastructure.cli.adding.checkout import Checkout, Draft
from infrastructure.cli.adding.forms import FORMS, pages, rendered
from infrastructure.cli.adding.inserting import (
    Place,
    PlaceNotFound,
    after,
    into,
    with_imports,
    with_module,
    with_route,
)
from infrastructure.cli.adding.names import Name
from infrastructure.cli.adding.settling import difference, put_in_place, reason_in, tidy
from infrastructure.cli.process import UsageError
from infrastructure.processes import CommandFailed

TABLE = "application/acme/service.py"
SAGAS = Place(TABLE, "Service", "sagas")


@pytest.mark.parametrize(
    "text", ["order_line", "order-line", "OrderLine", "orderLine", "Order line"]
)
def test_a_name_is_read_in_any_writing(text: str) -> None:
    """And written as each place needs it."""
    name = Name.read(text)
    written = (name.snake, name.pascal, name.upper, name.kebab, name.words)
    assert written == ("order_line", "OrderLine", "ORDER_LINE", "order-line", "order line")


@pytest.mark.parametrize(
    ("text", "snake", "pascal"),
    [
        ("item2", "item2", "Item2"),
        ("Item2", "item2", "Item2"),
        ("ABC2Line", "abc2_line", "Abc2Line"),
        ("order_2nd", "order_2nd", "Order2nd"),
    ],
)
def test_a_digit_stays_with_its_word(text: str, snake: str, pascal: str) -> None:
    """As it was typed: no word begins at it."""
    name = Name.read(text)
    assert (name.snake, name.pascal) == (snake, pascal)


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("category", "categories"),
        ("day", "days"),
        ("bus", "buses"),
        ("order_box", "order_boxes"),
        ("order_line", "order_lines"),
        ("stock", "stock"),
        ("person", "people"),
    ],
)
def test_the_plural_follows_the_rules_of_english(one: str, many: str) -> None:
    """Of the last word of the name."""
    assert Name(one).plural.snake == many


@pytest.mark.parametrize(
    "text", ["", "9lives", "größe", "a b!", "class", "match", "none", "history", "event", "x" * 41]
)
def test_what_cannot_be_a_name_is_refused(text: str) -> None:
    """With the reason, before anything is made."""
    with pytest.raises(UsageError, match="name"):
        Name.read(text)


def test_a_command_has_fields_and_an_event() -> None:
    """Both get the name of the aggregate, unless they have it."""
    issue, pay = commands_given.read(
        Name("ticket"), ["Issue(total: Money, by: Name) -> Issued", "PayTicket -> TicketPaid"]
    )
    assert (issue.command, issue.event) == ("IssueTicket", "TicketIssued")
    assert (issue.fact.snake, issue.fields) == ("issued", {"total": "Money", "by": "Name"})
    assert (pay.command, pay.event, pay.fact.snake) == ("PayTicket", "TicketPaid", "paid")


@pytest.mark.parametrize(
    ("act", "function"), [("open", "open"), ("return", "return_loan"), ("view", "view_loan")]
)
def test_a_function_has_no_name_that_is_taken(act: str, function: str) -> None:
    """By Python, or by the page on which it stands."""
    assert Name(act).function(of="loan") == function


def test_a_word_that_only_begins_as_the_aggregate_is_not_its_name() -> None:
    """Of an aggregate ``open``, *opened* is what has happened, and *open* what is wanted."""
    (given,) = commands_given.read(Name("open"), ["Open(name: Name) -> Opened"])
    assert (given.command, given.event, given.fact.snake) == ("OpenOpen", "OpenOpened", "opened")


@pytest.mark.parametrize(
    ("commands", "says"),
    [
        (["Issue"], "write 'Issue"),
        (["Issue(total) -> Issued"], "'total' is not a field"),
        (["Issue(total: Decimal) -> Issued"], "use one of Id, Name"),
        (["Issue(version: int) -> Issued"], "'version' cannot be a field"),
        (["Issue(copy: Id) -> Issued"], "'copy' cannot be a field"),
        (["Issue -> Issued", "Reissue -> Issued"], "two events are called TicketIssued"),
        (["Issue(a: Id) -> Issued", "Pay(a: Money) -> Paid"], "a is Id and Money"),
    ],
)
def test_a_command_that_cannot_be_read_is_refused(commands: list[str], says: str) -> None:
    """The message says what was wrong and what would be right."""
    with pytest.raises(UsageError, match=says):
        commands_given.read(Name("ticket"), commands)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Service(sagas=())", "Service(sagas=(new,))"),
        ("Service(sagas=(old,))", "Service(sagas=(old, new))"),
        ("Service(sagas=[old])", "Service(sagas=[old, new])"),
        (
            "Service(sagas=(\n    old,  # é, first\n))",
            "Service(sagas=(\n    old,  # é, first\n new,))",
        ),
        ("ALL = (old, older)\nService(sagas=ALL)", "ALL = (old, older, new)\nService(sagas=ALL)"),
        ('Service(sagas={**A, "b": 1})', 'Service(sagas={**A, "b": 1, new})'),
    ],
)
def test_an_item_comes_last_in_its_list(before: str, after: str) -> None:
    """However the list is written; all other text stays as it is."""
    assert into(before, SAGAS, "new") == after


@pytest.mark.parametrize("text", ["", "Service()", "Service(sagas=every())", "Program(sagas=())"])
def test_a_page_without_that_list_is_refused(text: str) -> None:
    """The message names the page, the argument, and what belongs there."""
    with pytest.raises(PlaceNotFound) as refused:
        into(text, SAGAS, "new")
    assert all(word in str(refused.value) for word in (TABLE, "Service(sagas=", "new"))


def test_a_route_is_added_where_the_program_returns_them() -> None:
    """With its import, also to a service that had none."""
    text = "def _routes():\n    return []\n\n\nPROGRAM = Program(routes=_routes)\n"
    once = with_route(text, "program.py", "acme", "orders")
    twice = with_route(once, "program.py", "acme", "stock")
    assert "return [orders.router, stock.router]" in twice
    assert twice.count("from infrastructure.acme.http import") == 2
    with pytest.raises(PlaceNotFound, match=r"program\.py has no Program\(routes="):
        with_route("PROGRAM = Program(routes=elsewhere)\n", "program.py", "acme", "orders")


def test_lines_and_imports_stand_with_their_like() -> None:
    """Behind the docstring and behind the last such line; ruff does the rest."""
    text = '"""A page."""\n\nfrom a import A\n\nX = Category.of("x")\n\nlast = 1\n'
    changed = after(with_imports(text, "from b import B"), "Category.of", 'Y = Category.of("y")')
    assert changed == (
        '"""A page."""\n\nfrom b import B\nfrom a import A\n\n'
        'X = Category.of("x")\nY = Category.of("y")\n\nlast = 1\n'
    )
    ast.parse(after(with_imports('"""A page."""\n', "from b import B"), "Category.of", "Y = 1"))


def test_the_architecture_rule_names_the_new_page() -> None:
    """Where there is such a rule; a service that has none goes without."""
    rule = 'protected_modules = ["application.acme", "domain.orders"]\n'
    assert '"domain.stock"' in with_module(rule, "acme", "domain.stock")
    assert with_module("[tool.ruff]\n", "acme", "domain.stock") == "[tool.ruff]\n"


def test_nothing_is_added_without_sources_or_git(tmp_path: Path) -> None:
    """What could not be seen or taken back is not written."""
    with pytest.raises(CommandFailed, match="run the command in the checkout"):
        Checkout.at(tmp_path)
    (tmp_path / "tests").mkdir()
    project = tmp_path / "pyproject.toml"
    project.write_text('[project.scripts]\nacme = "infrastructure.acme.__main__:main"\n')
    with pytest.raises(CommandFailed, match="git init"):
        Checkout.at(tmp_path)
    (tmp_path / ".git").mkdir()
    assert Checkout.at(tmp_path).package == "acme"
    project.write_text("[project]\n")
    with pytest.raises(CommandFailed, match="one entry point"):
        Checkout.at(tmp_path)


def test_a_page_that_is_there_is_never_replaced(tmp_path: Path) -> None:
    """So a command that is given twice is refused the second time."""
    (tmp_path / "there.py").write_text("mine = 1\n")
    draft = Draft(Checkout(tmp_path, "acme"))
    draft.write("new.py", "a = 1\n")
    for path in ("there.py", "new.py"):
        with pytest.raises(CommandFailed, match=f"{path} is there already"):
            draft.write(path, "theirs = 1\n")
    with pytest.raises(CommandFailed, match=r"gone\.py is not there"):
        draft.edit("gone.py", str)


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        ("a.py:1:1: wrong\n", "a.py:1:1: wrong"),
        (
            'Traceback:\n  File "a", line 1\n    f()\n    ^^^\nOops: 1 error\nname\n  gone\n',
            "Oops: 1 error name gone",
        ),
        ("", "no reason given"),
    ],
)
def test_a_failed_program_gives_its_whole_reason(printed: str, reason: str) -> None:
    """A last line alone may be an address of documentation, or a rule under a line of code."""
    assert reason_in(printed) == reason


def test_all_files_are_written_or_none(tmp_path: Path) -> None:
    """What was written before a failure is taken back."""
    checkout = Checkout(tmp_path, "acme")
    (tmp_path / "a.py").write_text("old = 1\n")
    (tmp_path / "file").write_text("not a folder\n")
    files = {"a.py": "new = 1\n", "b/c.py": "c = 1\n", "file/d.py": "d = 1\n"}
    assert "-old = 1\n+new = 1" in difference(checkout, {"a.py": files["a.py"]})
    with pytest.raises(OSError, match="file"):
        put_in_place(checkout, files)
    assert (tmp_path / "a.py").read_text() == "old = 1\n"
    assert not (tmp_path / "b/c.py").exists()


@pytest.mark.parametrize("form", sorted(FORMS.rglob("*.py")), ids=lambda form: form.name)
def test_a_form_is_a_page_of_python(form: Path) -> None:
    """It can be read, and checked, as one."""
    ast.parse(form.read_text())


def test_a_form_repeats_and_chooses_lines() -> None:
    """By its comments, which are gone from the page."""
    form = (
        "# for each command\n# if fields\nSomeCommand(some_field)  # for each field\n# end if\n"
        "# if not fields\nSomeCommand()\n# end if\n# end for\n"
    )
    scope = {
        "each command": [
            {"SomeCommand": "Open", "fields": True, "each field": [{"some_field": "name"}]},
            {"SomeCommand": "Close", "fields": False, "each field": []},
        ]
    }
    assert rendered(form, scope) == "Open(name)\nClose()\n"


@pytest.mark.parametrize(
    "commands",
    [
        ["Open -> Opened"],
        ["Open(total: Money) -> Opened"],
        ["Open -> Opened", "Close -> Closed"],
        ["Open(total: Money) -> Opened", "Close -> Closed"],
        ["Open -> Opened", "Close(reason: Text) -> Closed"],
        ["Open(size: int) -> Opened", "Pay(payer: Id, cash: bool) -> Paid", "Close -> Closed"],
    ],
    ids=" ".join,
)
def test_a_page_has_no_import_too_many(commands: list[str], tmp_path: Path) -> None:
    """However few commands, and whether they have fields: once tidied, lint finds nothing."""
    ticket = Name("ticket")
    scope = {
        **scopes.of_service("acme"),
        **scopes.of_aggregate(ticket, ticket.plural, commands_given.read(ticket, commands)),
    }
    written = [path for path in pages("aggregate", scope) if path.endswith(".py")]
    for path, text in pages("aggregate", scope).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    tidy(tmp_path, written)

    rules = ("--isolated", "--select", "E,F,I,W", "--line-length", "100")
    lint = (Path(sys.executable).with_name("ruff"), "check", "--no-cache", *rules, ".")
    checked = subprocess.run(lint, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
