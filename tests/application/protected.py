"""Events with personal data, over the stores that a test gives."""

from dataclasses import dataclass, field
from uuid import uuid4

from application.catalogue import Catalogue
from application.claim_check import ClaimCheck
from application.command_dispatch import CommandDispatch, CommandOutcome
from application.messages import Context
from application.personal.keyring import Keyring
from application.personal.protection import PersonalData, ProtectedStore
from application.ports import EventStore
from domain.decider import Command
from infrastructure import memory
from tests.application.snapped import NOON
from tests.sample.service import SAMPLE


@dataclass
class Protection:
    """Keys in memory, and what reads and writes events by them."""

    keys: memory.KeyStore = field(default_factory=memory.KeyStore)
    payloads: memory.PayloadStore = field(default_factory=memory.PayloadStore)

    def __post_init__(self) -> None:
        self.keyring = Keyring(lambda: self.keys)
        self.personal = PersonalData(SAMPLE.encrypted, self.keyring)

    def of(self, catalogue: Catalogue) -> Catalogue:
        """The catalogue that a store is given."""
        return catalogue.opening(self.personal)

    def over(self, store: EventStore) -> ProtectedStore:
        """What the rest of a service works with."""
        return ProtectedStore(ClaimCheck(store, self.payloads), self.personal)

    async def forget(self, subject: str) -> None:
        """Destroy the key, and use it no more here."""
        assert await self.keys.destroy(subject)
        self.keyring.forget(subject)


async def give(
    store: EventStore, id: str, command: Command, catalogue: Catalogue = SAMPLE.catalogue
) -> CommandOutcome:
    """Carry out a command, in a process that remembers nothing."""
    context = Context.start("a test", uuid4(), NOON)
    return await CommandDispatch(store, catalogue)(id, command, context)
