"""What calls to DynamoDB cost, in the units that AWS bills: counted from requests and answers."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.dynamodb.faults import Answer, Call, Send

_WRITE, _READ = 1024, 4096  # bytes in a unit


@dataclass
class Units:
    """A fault that does no harm, and counts. Also refused writes cost."""

    requests: int = 0
    refused: int = 0
    reads: float = 0.0
    writes: Counter[str] = field(default_factory=Counter)
    """By table, or rather by the end of its name."""

    async def __call__(self, call: Call, send: Send) -> Answer:
        answer = await send(call.asked)
        self.requests += 1
        self.refused += answer.status != 200
        match call.operation:
            case "TransactWriteItems":
                for one in call.asked["TransactItems"]:
                    (put,) = one.values()
                    self._write(put, 2)
            case "PutItem":
                self._write(call.asked, 1)
            case "DeleteItem":
                self.writes[_end(call.asked["TableName"])] += 1
            case "Query":
                read = sum(map(size_of, answer.document.get("Items", ())))
                self._read(read, consistent=call.asked.get("ConsistentRead", False))
            case "GetItem":
                read = size_of(answer.document.get("Item", {}))
                self._read(read, consistent=call.asked.get("ConsistentRead", False))
            case "BatchGetItem":
                self._read_batch(call.asked["RequestItems"], answer)
        return answer

    @property
    def written(self) -> int:
        return sum(self.writes.values())

    def _write(self, put: Mapping[str, Any], times: int) -> None:
        units = times * max(1, math.ceil(size_of(put["Item"]) / _WRITE))
        self.writes[_end(put["TableName"])] += units

    def _read(self, size: int, *, consistent: bool) -> None:
        self.reads += max(1, math.ceil(size / _READ)) * (1 if consistent else 0.5)

    def _read_batch(self, asked: Mapping[str, Any], answer: Answer) -> None:
        for table, wanted in asked.items():
            found = answer.document.get("Responses", {}).get(table, [])
            for item in found:
                self._read(size_of(item), consistent=wanted.get("ConsistentRead", False))
            for _ in range(len(wanted["Keys"]) - len(found)):
                self._read(0, consistent=wanted.get("ConsistentRead", False))


def size_of(item: Mapping[str, Any]) -> int:
    """The bytes of an item, by the rules of DynamoDB's documentation."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return math.ceil(len(content.strip("-0.")) / 2) + 1
        case "L":
            return 3 + sum(1 + _size(one) for one in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _size(one) for name, one in content.items())
    raise AssertionError(f"not one of ours: {kind}")


def _end(table: str) -> str:
    return table.rpartition("-")[2]
