"""The ``curl`` of examples, in Python: it is the same on every machine, and needs no process."""

import argparse
import shlex
from typing import Final

import httpx

from tests.shop.e2e.cli import PATIENCE

_PARSER: Final = argparse.ArgumentParser("curl", add_help=False, exit_on_error=False)
_PARSER.add_argument("url")
_PARSER.add_argument("-i", "--include", action="store_true")
_PARSER.add_argument("-H", "--header", action="append", default=[])
_PARSER.add_argument("-d", "--data")
_PARSER.add_argument("-X", "--request")


def curl(command: str) -> httpx.Response:
    """Send what ``curl …`` sends. ``argparse.ArgumentError`` for an option not listed above."""
    asked = _PARSER.parse_args(shlex.split(command)[1:])
    return httpx.request(
        asked.request or ("GET" if asked.data is None else "POST"),
        asked.url,
        headers=dict(header.split(": ", 1) for header in asked.header),
        content=asked.data,
        timeout=PATIENCE,
        trust_env=False,
    )


def printed(command: str, answer: httpx.Response) -> str:
    """What ``curl`` prints: the body; with ``-i`` the status line and the headers before it."""
    if not _PARSER.parse_args(shlex.split(command)[1:]).include:
        return answer.text
    status = f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}"
    headers = [f"{name}: {value}" for name, value in answer.headers.items()]
    return "\n".join([status, *headers, "", answer.text])
