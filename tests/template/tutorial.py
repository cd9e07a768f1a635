"""Takes the tutorial *Your own service*: its commands are run, its changes applied, as they stand.

Then an empty service gets one of everything. Each ends with ``make check``.
"""

import json
import re
import subprocess
from pathlib import Path
from typing import Final

from tests.code_names import ROOT
from tests.e2e.command_line import until
from tests.template.developed import Developed, Failed

PAGE: Final = ROOT / "docs/your-own-service.md"
_BLOCK: Final = re.compile(r"```(sh|python|diff)\n(.*?)```", re.DOTALL)
_TESTS: Final = "tests/lending/domain/test_readers.py"
_CHANGED: Final = "domain/readers.py"

ONE_OF_EACH: Final = (
    "git init",
    "git add .",
    ".venv/bin/lending add aggregate order-line",
    ".venv/bin/lending add aggregate payment"
    ' --command "Receive(amount: Money, payer: Id) -> Received"'
    ' --command "View -> Viewed" --command "Return -> Returned"'
    ' --command "Refund(reason: Text) -> Refunded"',
    ".venv/bin/lending add read-model totals --follows payment --follows order_line",
    ".venv/bin/lending add saga settlement --starts OrderLineOpened --cancels OrderLineCancelled"
    " --step ConfirmOrderLine/CancelOrderLine --undo RefundPayment",
    ".venv/bin/lending add saga refund --starts PaymentReceived --cancels PaymentRefunded"
    " --step ConfirmOrderLine --step ReturnPayment",
    ".venv/bin/lending add route payments",
    ".venv/bin/lending add route lines --aggregate order_line --read-model totals",
    "git add .",
)


def take(at: Path) -> None:
    """Every step of the page, in the order in which they stand there. Raises :class:`Failed`."""
    service = Developed(at / "lending", "lending")
    for kind, text in _BLOCK.findall(PAGE.read_text()):
        print(text, flush=True)
        if kind == "python":
            _add_test(service, text)
        elif kind == "diff":
            head = f"--- a/{_CHANGED}\n+++ b/{_CHANGED}\n"
            patched = ("git", "apply", "-")
            subprocess.run(patched, cwd=service.at, input=head + text, text=True, check=True)
        elif "curl" in text:
            _use(service, text)
        else:
            _type(service, text)


def fill(at: Path) -> None:
    """An empty service gets one of each part. Raises :class:`Failed`."""
    service = Developed(at / "empty", "lending")
    service.make({"name": "Lending", "example": "none"})
    for line in (*ONE_OF_EACH, "make check", ".venv/bin/pytest tests/lending"):
        print(line, flush=True)
        service.run(line)


def _type(service: Developed, text: str) -> None:
    for line in text.splitlines():
        if line.startswith("copier copy"):
            service.make(dict(re.findall(r"-d (\w+)=(\w+)", line)))
        elif not line.startswith("cd "):
            service.run(line)


def _add_test(service: Developed, text: str) -> None:
    with (service.at / _TESTS).open("a") as tests:
        tests.write(f"\n\n{text}")
    try:
        service.run(f".venv/bin/pytest {_TESTS}")
    except Failed:
        return
    raise Failed("the new test has to fail before the page is changed")


def _use(service: Developed, text: str) -> None:
    """The requests of the page, to a service that runs."""
    posted, asked, printed = text.splitlines()
    path, body = re.findall(r":8000(\S+) .*-d '(.*)'", posted)[0]
    shown, command = asked.rpartition(":8000")[2], service.command_line()
    home, own = service.at.with_name("home"), {"PYTHONPATH": service.environment["PYTHONPATH"]}
    with command.running(home, **own) as running:
        answer = running.post(path, json.loads(body))
        assert answer.status_code == 200, answer.text
        until(lambda: running.get(shown).get("status") == "registered", running)
        until(lambda: len(running.get("/loans").get("items", ())) == 3, running)
        stream = command.run(home, *printed.split()[1:], **own)
        assert "ReaderRegistered" in stream.stdout, stream.stderr
