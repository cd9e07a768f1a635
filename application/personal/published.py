"""Personal data in integration events: encrypted in the records of the bus, by the subject's key.

A record is out of our hands once it is published. So a personal field of an integration event, as
its class declares it, is masked there, and stands encrypted beside it. A service that reads the
same key store opens it again, until the subject is forgotten; all others read the mask.
"""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from pydantic import BaseModel

from application.integration_events import CloudEvent, Contract, Outgoing
from application.personal.declared import Declared, declared
from application.personal.keyring import Keyring
from application.personal.protection import together
from application.personal.sealing import Draft, box_in
from application.receiving.incoming import Incoming


class PublishedPersonalData:
    """What encrypts and opens it. All methods raise ``StoreUnavailable``."""

    def __init__(self, contract: Contract, keyring: Keyring) -> None:
        self._keyring = keyring
        self._declared: Mapping[str, Declared] = {
            contract.event_type(event): found
            for publication in contract.publications
            for event in publication.publishes
            if (found := personal_in(event))
        }

    async def sealed(self, outgoing: Outgoing) -> Outgoing:
        """The record as it may be published: encrypted, or masked for a forgotten subject.

        Where no subject is named, the key of the record is the subject.
        """
        event = outgoing.event
        if (found := self._declared.get(event.type)) is None:
            return outgoing
        draft = Draft(found, event.data, outgoing.key)
        if not draft.subjects:
            return outgoing
        key = together([await self._keyring.key(one) for one in draft.subjects])
        data = draft.sealed(event.type, UUID(event.id), key) if key else draft.masked()
        return replace(outgoing, event=replace(event, data=data))

    async def opened(self, event: CloudEvent) -> CloudEvent:
        """The event with its personal data, or with masks. Raises ``Unopened`` for a damaged one,
        and ``ValueError`` for one with an id that we do not give."""
        if (box := box_in(event.data)) is None:
            return event
        keys = await self._keyring.keys(box.subjects)
        key = together([keys[one] for one in box.subjects])
        return replace(event, data=box.opened(event.type, UUID(event.id), key))


def personal_in(event: type[BaseModel]) -> Declared | None:
    """What it declares, where it has personal fields."""
    found = declared(event)
    return found if found and found.fields else None


def has_personal(contract: Contract, received: tuple[Incoming, ...]) -> bool:
    """Whether anything that is published or received has personal fields."""
    made = [event for one in contract.publications for event in one.publishes]
    return any(map(personal_in, [*made, *(event for one in received for event in one.handlers)]))
