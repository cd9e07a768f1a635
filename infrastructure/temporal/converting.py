"""How values are written into histories: JSON by pydantic, encrypted where a service has personal
data, and large ones by reference."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from secrets import token_bytes
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
)

from application.ports import PayloadStore

LARGEST: Final = 10 * 1024
"""Bytes that a history holds of one value; Temporal refuses 2 MB."""
_ENCODING: Final = b"binary/claim-check"
_SEALED: Final = b"binary/encrypted"
_NONCE: Final = 12  # bytes, as AES-GCM has it


class ClaimCheck(PayloadCodec):
    """Keeps large values in the payload store, and their SHA-256 in the history."""

    def __init__(self, payloads: PayloadStore, largest: int = LARGEST) -> None:
        self._payloads, self._largest = payloads, largest

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """As they are, or as a reference."""
        return [await self._kept(one) for one in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raises ``PayloadUnavailable`` for what is missing or was changed."""
        return [await self._claimed(one) for one in payloads]

    async def _kept(self, payload: Payload) -> Payload:
        if payload.ByteSize() <= self._largest:
            return payload
        digest = await self._payloads.put(payload.SerializeToString())
        return Payload(metadata={"encoding": _ENCODING}, data=digest.encode())

    async def _claimed(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != _ENCODING:
            return payload
        return Payload.FromString(await self._payloads.get(payload.data.decode()))


class Encrypted(PayloadCodec):
    """Encrypts every value (AES-GCM), so that no personal data can be read in a history.

    Workflows hold the facts of a saga and what its steps found out; Temporal knows no data subject.
    So all have one key, out of the key store. What an earlier release has written in the clear is
    read as it is.
    """

    def __init__(self, key: Callable[[], Awaitable[bytes]]) -> None:
        self._key = key
        self._cipher: AESGCM | None = None

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raises ``StoreUnavailable`` while the key cannot be had."""
        cipher = await self._known()
        return [_sealed(cipher, one) for one in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raises ``StoreUnavailable``, and ``InvalidTag`` for what was changed."""
        if not any(one.metadata.get("encoding") == _SEALED for one in payloads):
            return list(payloads)
        cipher = await self._known()
        return [_opened(cipher, one) for one in payloads]

    async def _known(self) -> AESGCM:
        if self._cipher is None:
            self._cipher = AESGCM(await self._key())
        return self._cipher


def _sealed(cipher: AESGCM, payload: Payload) -> Payload:
    nonce = token_bytes(_NONCE)
    data = nonce + cipher.encrypt(nonce, payload.SerializeToString(), _SEALED)
    return Payload(metadata={"encoding": _SEALED}, data=data)


def _opened(cipher: AESGCM, payload: Payload) -> Payload:
    if payload.metadata.get("encoding") != _SEALED:
        return payload
    nonce, sealed = payload.data[:_NONCE], payload.data[_NONCE:]
    return Payload.FromString(cipher.decrypt(nonce, sealed, _SEALED))


class _Chain(PayloadCodec):
    """Codecs in the order in which they encode."""

    def __init__(self, codecs: Sequence[PayloadCodec]) -> None:
        self._codecs = codecs

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        for codec in self._codecs:
            payloads = await codec.encode(payloads)
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        for codec in reversed(self._codecs):
            payloads = await codec.decode(payloads)
        return list(payloads)


def data_converter(
    payloads: PayloadStore | None = None, key: Callable[[], Awaitable[bytes]] | None = None
) -> DataConverter:
    """Without a payload store, all values are in the history; without a key, in the clear.

    With a key, the messages of failures are encrypted, too.
    """
    codecs: list[PayloadCodec] = [Encrypted(key)] if key is not None else []
    codecs += [ClaimCheck(payloads)] if payloads is not None else []
    made = replace(pydantic_data_converter, payload_codec=_Chain(codecs) if codecs else None)
    if key is None:
        return made
    return replace(made, failure_converter_class=DefaultFailureConverterWithEncodedAttributes)
