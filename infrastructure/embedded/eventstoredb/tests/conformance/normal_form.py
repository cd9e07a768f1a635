"""Answers in a form in which those of two nodes can be compared.

What each node makes up for itself (names, ids, times, positions) is replaced by a word in angle
brackets; all else stays as it was sent.
"""

import base64
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, cast

import grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

NO_POSITION: Final = 2**64 - 1
_GUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b"
_REPLACED: Final = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        (_GUID, "<id>"),
        (r"127\.0\.0\.1:\d+|localhost:\d+", "<peer>"),
        (r'"\$([cp])": ?\d+', r'"$\1":<pos>'),
        (r'"\$v": ?"\d+:-1:\d+:\d+"', '"$v":"<v>"'),
        (r'"added": ?"[^"]+"', '"added":"<time>"'),
        (r"\d{15,}", "<n>"),
    )
)
_PROTOCOL: Final = ("grpc-", "date", "server", "content-length", "content-type")


def fault(error: grpc.aio.AioRpcError) -> Mapping[str, object]:
    """A call that failed: its code, text and trailers."""
    pairs = cast("Iterable[tuple[str, object]]", error.trailing_metadata())
    trailers = {
        key: value if isinstance(value, str) else "<bin>"
        for key, value in pairs
        if not key.startswith("grpc-") and key not in _PROTOCOL
    }
    return {"FAULT": error.code().name, "details": error.details(), "trailers": trailers}


async def told(answer: Awaitable[Message]) -> object:
    """The message that a call is answered, or its failure; ``ok`` where there is nothing to say."""
    try:
        return message(await answer) or "ok"
    except grpc.aio.AioRpcError as error:
        return fault(error)


def message(answer: Message) -> Mapping[str, object]:
    """A message of the protocol, with its bytes as text."""
    return {name: _legible(name, value) for name, value in MessageToDict(answer).items()}


def _legible(name: str, value: object) -> object:
    if isinstance(value, dict):
        return {key: _legible(key, inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_legible(name, inner) for inner in value]
    return _FIELDS[name](value) if name in _FIELDS else value


def _text(encoded: object) -> object:
    """Bytes travel as base64; in messages of the server's own, the same names hold JSON."""
    try:
        return base64.b64decode(str(encoded)).decode(errors="replace")
    except ValueError:
        return encoded


def _position(value: object) -> object:
    return "MAX" if value == str(NO_POSITION) else "<pos>"


_FIELDS: Final[Mapping[str, Callable[[object], object]]] = {
    "streamName": _text,
    "data": lambda value: _text(value) if isinstance(value, str) else value,
    "customMetadata": _text,
    "commitPosition": _position,
    "preparePosition": _position,
    "created": lambda _: "<time>",
    "correlationId": lambda _: "<id>",
    "subscriptionId": lambda _: "<id>",
    "id": lambda _: "<id>",
}


def normal(answer: object, run: str) -> object:
    """The answer without what is its own: ``<label>`` for a name made by ``Node.fresh``."""
    if isinstance(answer, dict):
        return {key: normal(value, run) for key, value in answer.items()}
    if isinstance(answer, list | tuple):
        return [normal(value, run) for value in answer]
    return _anonymous(answer, run) if isinstance(answer, str) else answer


def _anonymous(text: str, run: str) -> str:
    text = re.sub(rf"{run}\.([a-z]+)-\d+", r"<\1>", text).replace(run, "<run>")
    for pattern, word in _REPLACED:
        text = pattern.sub(word, text)
    if " meta=" in text or text.startswith("{"):
        text = re.sub(r"([,:{])\s+", r"\1", text).replace("\n}", "}")  # JSON, however it is spaced
    return text
