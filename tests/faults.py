"""Sets faults in a process of simulated providers, whichever these are."""

from collections.abc import Sequence

import httpx

from infrastructure.providers.simulated import Fault
from infrastructure.providers.simulated.process import SimulatedProviders


async def set_faults(simulated: SimulatedProviders, faults: Sequence[Fault], seed: int = 0) -> None:
    """These faults from now on, over HTTP."""
    plan = {"faults": [fault.model_dump(mode="json") for fault in faults], "seed": seed}
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.put(f"{simulated.uri}/faults", json=plan)
        answer.raise_for_status()
