"""How values are written into histories: JSON by pydantic, and large ones by reference."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, PayloadCodec

from application.ports import PayloadStore

LARGEST: Final = 10 * 1024
"""Bytes that a history holds of one value; Temporal refuses 2 MB."""
_ENCODING: Final = b"binary/claim-check"


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


def data_converter(payloads: PayloadStore | None = None) -> DataConverter:
    """Without a payload store, all values are in the history."""
    codec = ClaimCheck(payloads) if payloads is not None else None
    return replace(pydantic_data_converter, payload_codec=codec)
