"""``headwater providers``: the shop's simulated providers, alone."""

import asyncio
from pathlib import Path

from infrastructure.cli.printing import say
from infrastructure.processes import CommandFailed
from infrastructure.providers.simulated.journal import JournalUnavailable
from infrastructure.providers.simulated.server import answering
from infrastructure.shop.memory import SIMULATED
from infrastructure.shop.parcels_on_the_bus import carried  # only: bus
from infrastructure.shop.providers import SETTINGS
from infrastructure.shop.settings import ShopSettings


async def run_providers(
    file: Path | None,
    port: int,
    host: str,
    settings: ShopSettings,  # only: bus
) -> None:
    """Answer until cancelled. Raises :class:`CommandFailed`."""
    try:
        async with (
            answering(SIMULATED, file, port, host) as uri,
            carried(settings),  # only: bus
        ):
            _welcome(uri, file)
            await asyncio.Event().wait()
    except JournalUnavailable as error:
        raise CommandFailed(f"{error}; --data-dir sets another directory") from error
    except OSError as error:
        reason = f"cannot listen on {host}:{port} ({error.strerror})"
        help = "--port sets another port, 0 is any free one, and --host another host"
        raise CommandFailed(f"{reason}; {help}") from error


def _welcome(uri: str, file: Path | None) -> None:
    for setting, provider in SETTINGS.items():
        say(f"{ShopSettings.name_of(setting)}={uri}/{provider.name}")
    say(f"Set faults with PUT {uri}/faults")
    kept = "in memory only" if file is None else f"in {file}"
    say(f"Journal {kept}. Ctrl-C stops the providers.")
