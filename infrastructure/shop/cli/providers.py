"""``headwater providers``: a simulated payment provider and carrier, alone."""

import asyncio
from pathlib import Path

from infrastructure.cli.printing import say
from infrastructure.processes import CommandFailed
from infrastructure.providers.simulated.journal import JournalUnavailable
from infrastructure.providers.simulated.server import answering
from infrastructure.shop.memory import SIMULATED
from infrastructure.shop.providers import CARRIER, PAYMENT_PROVIDER
from infrastructure.shop.settings import ShopSettings


async def run_providers(file: Path | None, port: int) -> None:
    """Answer until cancelled. Raises :class:`CommandFailed`."""
    try:
        async with answering(SIMULATED, file, port) as uri:
            _welcome(uri, file)
            await asyncio.Event().wait()
    except JournalUnavailable as error:
        raise CommandFailed(f"{error}; --data-dir sets another directory") from error
    except OSError as error:
        reason = f"cannot listen on port {port} ({error.strerror})"
        raise CommandFailed(f"{reason}; --port sets another, 0 is any free one") from error


def _welcome(uri: str, file: Path | None) -> None:
    say(f"{ShopSettings.name_of('payment_provider_uri')}={uri}/{PAYMENT_PROVIDER.name}")
    say(f"{ShopSettings.name_of('carrier_uri')}={uri}/{CARRIER.name}")
    say(f"What is to go wrong: PUT {uri}/faults")
    kept = "in memory only" if file is None else f"in {file}"
    say(f"Books {kept}. Ctrl-C stops them.")
