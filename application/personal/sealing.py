"""How personal data stands in the data of an event: masked, and beside it encrypted in one box.

    {"$personal": {"of": ["17850"], "box": "q80x…"}, "customer_id": "17850", "name": "•••", …}

Without the key this is the event with masks, as it reads once the data subject is forgotten. With
it, the values are put back at their paths, before upcasters see the data. The box is AES-GCM. Its
nonce is made of what is encrypted: the same event always has the same bytes, and a nonce is never
used for two texts. Type, id and subjects are authenticated, so a box fits into its own event only.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from hashlib import sha256
from hmac import digest
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from pydantic_core import from_json, to_json

from application.personal.declared import EACH, Declared, Path, declared

NAME: Final = "$personal"
_MARK: Final = b'"$personal"'  # within a text of the event, its quotes are escaped
_NONCE: Final = 12  # bytes, as AES-GCM has it
_SHORTEST: Final = 3


class Unopened(ValueError):
    """A box that cannot be opened with this key: it is another's, or one of both is damaged."""


class Key:
    """The key of one data subject, made of the 32 bytes that its store has."""

    def __init__(self, secret: bytes) -> None:
        # imported here, since most services never have a key
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._secret = secret
        self._cipher = AESGCM(digest(secret, b"personal data", "sha256"))
        self._for_nonces = digest(secret, b"nonces", "sha256")

    @classmethod
    def of_all(cls, keys: Sequence["Key"]) -> "Key":
        """One key that can be made of all of these only."""
        if len(keys) == 1:
            return keys[0]
        return cls(sha256(b"".join(key._secret for key in keys)).digest())

    def encrypt(self, text: bytes, about: bytes) -> bytes:
        """``about`` is authenticated. The same text about the same gives the same bytes."""
        nonce = digest(self._for_nonces, sha256(about).digest() + text, "sha256")[:_NONCE]
        return nonce + self._cipher.encrypt(nonce, text, about)

    def decrypt(self, sealed: bytes, about: bytes) -> bytes:
        """Raises :class:`Unopened`."""
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], about)
        except (InvalidTag, ValueError) as error:
            raise Unopened("its personal data is damaged, or has another key") from error


@dataclass(frozen=True)
class Box:
    """Encrypted personal data of an event, and its other data."""

    subjects: tuple[str, ...]
    sealed: bytes
    masked: dict[str, Any]

    def opened(self, type: str, id: UUID, key: Key | None) -> bytes:
        """The data of the event: whole, or masked without a key. Raises :class:`Unopened`."""
        if key is not None:
            text = key.decrypt(self.sealed, _about(type, id, self.subjects))
            for path, value in from_json(text):
                _put(self.masked, path, value)
        return _written(self.masked)


class Draft:
    """The data of an event on its way into the store: its personal values, and the rest."""

    def __init__(self, declared: Declared, data: bytes, stream: str) -> None:
        self._document: dict[str, Any] = from_json(data)
        self._values = [*_take_out(self._document, declared)]
        of: Any = self._document
        for step in declared.subject:
            of = of.get(step) if isinstance(of, dict) else None
        named = (stream,) if of is None else map(str, of if isinstance(of, list) else (of,))
        self.named: Sequence[str] = tuple(named)
        """The subjects that it names, whether or not anything personal is in it."""
        self.subjects: Sequence[str] = self.named if self._values else ()
        """The subjects whose keys are needed; none, if nothing personal is in it."""

    @property
    def texts(self) -> frozenset[str]:
        """The personal texts of 3 characters or more: shorter ones stand everywhere."""
        return frozenset(
            text
            for text in _texts_in([value for _, value in self._values])
            if len(text) >= _SHORTEST
        )

    def masked(self) -> bytes:
        """Without the personal values."""
        return _written(self._document)

    def sealed(self, type: str, id: UUID, key: Key) -> bytes:
        """With the personal values, encrypted."""
        about = _about(type, id, self.subjects)
        box = key.encrypt(_written(self._values), about)
        member = {"of": self.subjects, "box": b64encode(box).decode()}
        return _written({NAME: member, **self._document})


def draft_of(event: BaseModel, stream: str) -> Draft | None:
    """The draft of an event as it is read; ``None`` for a type without personal data."""
    found = declared(type(event))
    if found is None or not found.fields:
        return None
    return Draft(found, event.model_dump_json().encode(), stream)


def box_in(data: bytes) -> Box | None:
    """The box in the data of an event, if it has one. Raises :class:`Unopened` if damaged."""
    if _MARK not in data:
        return None
    try:
        document = from_json(data)
        if not isinstance(document, dict) or NAME not in document:
            return None  # it is a name within the event, given by others
        member = document.pop(NAME)
        sealed = b64decode(member["box"], validate=True)
        return Box(tuple(map(str, member["of"])), sealed, document)
    except (ValueError, LookupError, TypeError) as error:
        raise Unopened("the box of its personal data is damaged") from error


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _texts_in(one)


def _take_out(document: dict[str, Any], declared: Declared) -> Iterator[tuple[Path, Any]]:
    """Each personal value and its path; a mask takes its place. ``None`` stays: it says nothing."""
    taken = set[Path]()
    for field in declared.fields:
        for within, at, path in [*_places(document, field.path)]:
            value = within[at]
            if path not in taken and value is not None and value != field.mask:
                within[at] = field.mask
                taken.add(path)
                yield path, value


def _places(
    node: Any, path: Path, above: tuple[Any, ...] = ()
) -> Iterator[tuple[Any, Any, tuple[Any, ...]]]:
    """The places that a path leads to: what each is in, its key there, and its own path."""
    step, *rest = path
    steps: Iterable[Any]
    if step != EACH:
        steps = [step] if isinstance(node, dict) and step in node else []
    else:
        steps = [*node] if isinstance(node, dict) else range(len(node or ()))
    for at in steps:
        if rest:
            yield from _places(node[at], tuple(rest), (*above, at))
        else:
            yield node, at, (*above, at)


def _put(document: Any, path: Sequence[Any], value: Any) -> None:
    *above, at = path
    try:
        reduce(lambda node, step: node[step], above, document)[at] = value
    except (LookupError, TypeError) as error:
        raise Unopened("its personal data does not fit the rest of it") from error


def _about(type: str, id: UUID, subjects: Sequence[str]) -> bytes:
    return "\0".join((type, str(id), *subjects)).encode()  # none of them has that character


def _written(document: Any) -> bytes:
    return to_json(document)
