"""A corpus of integration events: the forms in which each version was released, and data of each.

``published/headwater.order.shipped/1.0.json`` is the first form of version 1, and ``1.0.data.json``
is data in that form. A compatible change is another form of the same version: ``1.1``. Nothing
there is ever overwritten: what was released stays promised.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pytest

from application import event_schemas
from application.integration_events import IntegrationEvent
from application.service import Service
from tests.contracts.compatibility import unreadable
from tests.contracts.schema_shapes import closed, knowing_all, without_prose

Direction = Literal["published", "received"]


@dataclass(frozen=True)
class Form:
    """What is promised of one version of an integration event."""

    direction: Direction
    name: str  # headwater.order.shipped
    version: int
    topics: Sequence[str]
    source: str | None  # None: any
    data: dict[str, Any]  # its schema, without prose, which is not promised

    def __str__(self) -> str:
        return f"{self.direction} {self.name}.v{self.version}"

    @property
    def text(self) -> str:
        """As it is frozen."""
        promised = {"topics": self.topics, "source": self.source, "data": self.data}
        return json.dumps(promised, indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    def breaks(self, released: "Form") -> Iterator[str]:
        """What would go wrong for others, if this form took the place of a released one."""
        if gone := sorted({*released.topics} - {*self.topics}):
            yield f"its topics: others use {', '.join(gone)}"
        if self.direction == "received":
            for problem in unreadable(released.data, self.data):
                yield f"its records, read in the new form: {problem}"
            for place in sorted({*closed(self.data)} - {*closed(released.data)}):
                yield f"{place}: unknown fields are refused, and the other party may send some"
            return
        if self.source != released.source:
            yield f"its source: it was {released.source}, and consumers recognise repetitions by it"
        for problem in unreadable(self.data, released.data):
            yield f"new records, read by its consumers: {problem}"
        for problem in unreadable(released.data, knowing_all(self.data)):
            yield f"its records, read in the new form: {problem}"


@dataclass(frozen=True)
class ContractCorpus:
    """What a service publishes and receives: one sample of each version, and where its forms are.

    ``module``: where it is declared. Run as a program, that module freezes what is missing.
    ``retired``: the types that are no longer declared, such as ``headwater.order.placed.v1``, each
    with the reason.
    """

    home: Path
    module: str
    service: Service[Any]
    samples: Sequence[IntegrationEvent]
    retired: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def declared(self) -> Mapping[type[IntegrationEvent], Form]:
        """The form of each version that the service publishes or receives."""
        return {**dict(_published(self.service)), **dict(_received(self.service))}

    @property
    def released(self) -> AbstractSet[tuple[str, str, int]]:
        """Each version of which a form is frozen: its direction, its name, its number."""
        return {
            (file.parents[1].name, file.parent.name, int(file.name.partition(".")[0]))
            for file in self.home.glob("*/*/*.json")
        }

    def forms(self, of: Form) -> Sequence[tuple[Path, Form]]:
        """The frozen forms of that version, oldest first."""
        folder = self.home / of.direction / of.name
        numbers = sorted(
            int(file.name.split(".")[1])
            for file in folder.glob(f"{of.version}.*.json")
            if not file.name.endswith(".data.json")
        )
        files = [folder / f"{of.version}.{number}.json" for number in numbers]
        return [(file, _frozen(of, file)) for file in files]

    def breaks(self, form: Form) -> Sequence[str]:
        """What would go wrong for those who rely on any of its frozen forms."""
        return [
            f"{file.stem}: {problem}"
            for file, released in self.forms(form)
            for problem in form.breaks(released)
        ]

    def sample(self, event: type[IntegrationEvent]) -> bytes:
        """Its data, as it is written today. Raises ``LookupError`` unless there is one sample."""
        samples = [one for one in self.samples if type(one) is event]
        if len(samples) != 1:
            raise LookupError(f"{self.module} needs one sample of {event.kind}: {event.__name__}")
        return samples[0].model_dump_json().encode()

    def freeze(self) -> None:
        """Write each form that is not frozen, with its sample. Ends the process if one breaks."""
        for event, form in self.declared.items():
            forms = self.forms(form)
            if forms and forms[-1][1].text == form.text:
                continue
            if problems := self.breaks(form):
                raise SystemExit(refusal(form, problems))
            data = self.sample(event)
            file = self.home / form.direction / form.name / f"{form.version}.{len(forms)}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            data_of(file).write_bytes(data)
            file.write_text(form.text)  # last: it is released once this is there
            print("froze", file.relative_to(self.home))


def refusal(form: Form, problems: Sequence[str]) -> str:
    """Why the change cannot be released, and how it can."""
    lines = "\n".join(f"  {problem}" for problem in problems)
    return (
        f"{form} is released, and others rely on it:\n{lines}\n"
        f"Keep that class as it is, and declare the new form as version={form.version + 1} beside "
        "it: docs/how-to/change-an-integration-event.md"
    )


def data_of(form: Path) -> Path:
    """The file with the data of a frozen form."""
    return form.with_suffix(".data.json")


def _frozen(of: Form, file: Path) -> Form:
    kept = json.loads(file.read_text())
    return Form(of.direction, of.name, of.version, kept["topics"], kept["source"], kept["data"])


def _published(service: Service[Any]) -> Iterator[tuple[type[IntegrationEvent], Form]]:
    contract = service.contract
    for publication in contract.publications:
        for event in publication.publishes:
            yield (
                event,
                Form(
                    "published",
                    f"{contract.service}.{event.kind.name}",
                    event.kind.version,
                    [contract.topic(publication)],
                    contract.source(publication),
                    without_prose(event_schemas.written(event)),
                ),
            )


def _received(service: Service[Any]) -> Iterator[tuple[type[IntegrationEvent], Form]]:
    for incoming in service.receives:
        for event in incoming.handlers:
            yield (
                event,
                Form(
                    "received",
                    f"{incoming.publisher}.{event.kind.name}",
                    event.kind.version,
                    list(incoming.topics),
                    None,
                    without_prose(event_schemas.read(event)),
                ),
            )


def of(corpus: ContractCorpus) -> Callable[[pytest.Metafunc], None]:
    """Runs each law of :mod:`tests.contracts.released_contract_laws` on it."""

    def generate(metafunc: pytest.Metafunc) -> None:
        if "corpus" in metafunc.fixturenames:
            metafunc.parametrize("corpus", [corpus], ids=[corpus.service.name])
        if "event" in metafunc.fixturenames:
            names = map(str, corpus.declared.values())
            metafunc.parametrize("event", corpus.declared, ids=names)

    return generate
