"""The answers of one provider as they are written in JSON."""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from application.ports import Declined, Done

G = TypeVar("G")  # what the provider grants


class NotUnderstood(Exception):
    """What came is not an answer of this provider."""


class Answers(Generic[G]):
    """Declined, done, and the classes that the provider grants, each under its name."""

    def __init__(self, grants: Sequence[type[G]]) -> None:
        """Raises ``ValueError`` for two classes of one name, and for a field named ``answer``."""
        kinds = (Declined, Done, *grants)
        for kind in kinds:
            if "answer" in getattr(kind, "__dataclass_fields__", {}):
                raise ValueError(f"{kind.__name__} has a field 'answer', which is taken: rename it")
        self._shapes: dict[str, TypeAdapter[Any]] = {
            _name(kind): TypeAdapter(kind) for kind in kinds
        }
        if len(self._shapes) < len(kinds):
            raise ValueError(f"two answers have one name: {', '.join(map(_name, kinds))}")

    def written(self, answer: G | Declined | Done | None) -> dict[str, Any]:
        """The answer as an object that :meth:`read` understands."""
        if answer is None:
            return {"answer": None}
        name = _name(type(answer))
        return {"answer": name, **self._shapes[name].dump_python(answer, mode="json")}

    def read(self, said: object) -> G | Declined | Done | None:
        """The answer that was written. Fields that are not known are ignored.

        Raises :class:`NotUnderstood`.
        """
        match said:
            case {"answer": None}:
                return None
            case {"answer": str(name), **fields} if name in self._shapes:
                return self._read(name, fields)
            case _:
                raise NotUnderstood(f"{said!r:.200} is not one of {', '.join(self._shapes)}")

    def _read(self, name: str, fields: dict[Any, Any]) -> G | Declined | Done:
        try:
            answer: G | Declined | Done = self._shapes[name].validate_python(fields)
        except ValidationError as error:
            raise NotUnderstood(f"{fields!r:.200} is not an answer {name!r}: {error}") from None
        return answer


def _name(kind: type[Any]) -> str:
    return kind.__name__.lower()
