"""What ``headwater rotate-master-key`` does and prints."""

from application.operating.action import Done
from application.ports import KeyStore, StoreUnavailable
from application.whole_log import Step
from infrastructure.cli.acting import operator
from infrastructure.cli.printing import say
from infrastructure.cli.process import UsageError
from infrastructure.cli.progress import shown
from infrastructure.keys import LazyKeyStore, WrappedKeyStore
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment


async def rotate(deployment: Deployment, reason: str, by: str | None) -> None:
    """Raises :class:`CommandFailed` where there is no personal data, and as others do."""
    if not reason.strip():
        raise UsageError("--reason is empty: give a reason, which is recorded")
    if not deployment.program.service.encrypted:
        raise CommandFailed("the events of this service hold no personal data: nothing to rotate")
    newest = deployment.settings.master_keys.newest
    who, number = operator(by, reason), 0
    with shown() as report:
        async with opened_for(deployment, EVENTS) as container:
            keys = await _opened(container.key_side())
            recorded = container.operating().recorded("master-key rotate", newest, who)
            async with recorded as under_way:
                async for some in keys.rewrap():
                    number += some
                    report(Step("wrapping keys", number))
                under_way.done = Done(f"{number:,} keys are wrapped by the master key {newest}")
    say(f"{_keys(number)} wrapped anew. The master key {newest} wraps all keys now.")
    before = deployment.settings.name_of("master_keys_before")
    say(f"Keep what is in {before} as long as there are backups of the keys from before.")


async def _opened(keys: KeyStore) -> WrappedKeyStore:
    if not isinstance(keys, LazyKeyStore):
        raise StoreUnavailable("the keys of personal data cannot be opened with these settings")
    return await keys.opened()


def _keys(number: int) -> str:
    return "1 key was" if number == 1 else f"{number:,} keys were"
