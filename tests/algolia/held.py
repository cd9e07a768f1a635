"""The indexes of an application, and the tasks that change them.

As https://www.algolia.com/doc/rest-api/search/ has it, and the specification of it in
``specs/search`` of https://github.com/algolia/api-clients-automation: a change is accepted as a
task, and nobody sees it before the task is published. Adding records or settings makes the index.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from algoliasearch.search.models.index_settings import IndexSettings

Record = dict[str, Any]


class Refused(Exception):
    """A request that Algolia would refuse, with this status and sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass
class Index:
    settings: dict[str, Any] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    primary: str | None = None  # of which it is a replica


@dataclass
class Task:
    change: Callable[[], None]
    polls: int  # until it is published
    published: bool = False


class Held:
    """What the application has, as far as it is published."""

    def __init__(self) -> None:
        self.indexes: dict[str, Index] = {}
        self.lag = 0
        """How often a task is polled before it is published; ``hold`` for never."""
        self.publishes_ignored = True
        """Whether a task is ever published of which every update was ignored."""
        self._tasks: list[Task] = []

    def index(self, name: str) -> Index:
        """Raises :class:`Refused` where there is none."""
        if name not in self.indexes:
            raise Refused(404, f"Index {name} does not exist")
        return self.indexes[name]

    def add(self, change: Callable[[], None], polls: int | None = None) -> int:
        """Accept a change as a task. Returns its id."""
        self._tasks.append(Task(change, self.lag if polls is None else polls))
        task = len(self._tasks)
        if not self._tasks[-1].polls:
            self._publish(task)
        return task

    def is_published(self, task: int) -> bool:
        """Asked once more. Raises :class:`Refused` for an unknown task."""
        if not 0 < task <= len(self._tasks):
            raise Refused(404, "taskID does not exist")
        found = self._tasks[task - 1]
        found.polls -= 1
        if found.polls < 0:
            self._publish(task)
        return found.published

    def _publish(self, task: int) -> None:
        """Publish it, and all before it: the tasks of an index are carried out in order."""
        for one in self._tasks[:task]:
            if not one.published:
                one.published = True
                one.change()

    # ── changes ──────────────────────────────────────────────────────────────────────────────────

    def batch(self, name: str, updates: Sequence[Record]) -> int:
        ignored = name in self.indexes and all(
            _is_ignored(self.indexes[name], update) for update in updates
        )
        never = 10**9 if ignored and not self.publishes_ignored else None
        return self.add(lambda: self._update(name, updates), never)

    def _update(self, name: str, updates: Sequence[Record]) -> None:
        index = self.indexes.setdefault(name, Index())
        for update in updates:
            if not _is_ignored(index, update):
                plain = {key: _value(value) for key, value in update.items()}
                there = index.records.setdefault(update["objectID"], {})
                there.update(deepcopy(plain))
        self._copy_to_replicas(name)

    def set_settings(self, name: str, settings: Mapping[str, Any]) -> int:
        known = {one.alias for one in IndexSettings.model_fields.values()}
        if unknown := set(settings) - known:
            raise Refused(400, f"Invalid object attributes: {', '.join(sorted(unknown))}")
        for replica in settings.get("replicas") or ():
            if self.indexes.get(replica, Index()).primary not in (None, name):
                raise Refused(400, f"{replica} is already a replica of another index")
        return self.add(lambda: self._set(name, settings))

    def _set(self, name: str, settings: Mapping[str, Any]) -> None:
        index = self.indexes.setdefault(name, Index())
        index.settings.update(deepcopy(dict(settings)))
        replicas = index.settings.get("replicas") or []
        for other, there in self.indexes.items():
            if there.primary == name and other not in replicas:
                there.primary = None
        for replica in replicas:
            if replica not in self.indexes:
                self.indexes[replica] = Index(deepcopy(index.settings) | {"replicas": []})
            self.indexes[replica].primary = name
        self._copy_to_replicas(name)

    def delete(self, name: str) -> int:
        if name in self.indexes and self.indexes[name].primary:
            raise Refused(403, f"{name} is a replica: unlink it first")
        return self.add(lambda: self._delete(name))

    def _delete(self, name: str) -> None:
        if (gone := self.indexes.pop(name, None)) is not None:
            self._unlink(gone.settings.get("replicas") or ())

    def _unlink(self, replicas: Sequence[str]) -> None:
        for replica in replicas:
            self.indexes[replica].primary = None

    def copy(self, source: str, destination: str) -> int:
        if self.indexes.get(destination, Index()).settings.get("replicas"):
            raise Refused(400, f"{destination} has replicas: nothing can be copied to it")
        self._require_no_replica(destination)
        return self.add(lambda: self._copy(source, destination))

    def _copy(self, source: str, destination: str) -> None:
        there = deepcopy(self.indexes.get(source, Index()))
        there.settings.pop("replicas", None)
        self.indexes[destination] = Index(there.settings, there.records)

    def move(self, source: str, destination: str) -> int:
        self._require_no_replica(source)
        self._require_no_replica(destination)
        return self.add(lambda: self._move(source, destination))

    def _move(self, source: str, destination: str) -> None:
        if source not in self.indexes:
            return
        moved = self.indexes.pop(source)
        there = self.indexes.get(destination, Index())
        moved.settings["replicas"] = there.settings.get("replicas") or []
        self.indexes[destination] = moved
        self._copy_to_replicas(destination)

    def _require_no_replica(self, name: str) -> None:
        if self.indexes.get(name, Index()).primary:
            raise Refused(400, f"{name} is a replica: unlink it first")

    def _copy_to_replicas(self, name: str) -> None:
        for replica in self.indexes[name].settings.get("replicas") or ():
            self.indexes[replica].records = deepcopy(self.indexes[name].records)


def _is_ignored(index: Index, update: Record) -> bool:
    """Whether ``IncrementSet`` says that there is nothing to update."""
    there = index.records.get(update["objectID"], {})
    return any(
        value["value"] <= there.get(key, 0) for key, value in update.items() if _is_operation(value)
    )


def _is_operation(value: Any) -> bool:
    return isinstance(value, dict) and "_operation" in value


def _value(value: Any) -> Any:
    if not _is_operation(value):
        return value
    if set(value) != {"_operation", "value"} or value["_operation"] != "IncrementSet":
        raise Refused(400, f"{value} is an operation that is not recorded")
    return value["value"]
