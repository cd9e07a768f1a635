"""What ``run`` prints when everything runs, for a program that has no welcome of its own."""

from infrastructure.cli.printing import Console
from infrastructure.container import Container
from infrastructure.settings import Settings


async def welcome(container: Container, _: Settings, url: str, console: Console) -> None:
    """Where the service answers, what is wrong with it, and how it is stopped."""
    found = await container.health().readiness()
    console.print(f"{container.program().title} runs: {url}, described at {url}/docs")
    if container.settings().console:  # only: console
        console.print(f"  its console: {url}/console")  # only: console
    for name, state in found.checks.items():
        if state != "ok":
            console.print(f"  {name}: {state}")
    # only: temporal
    if pages := container.settings().temporal_ui_uri:
        console.print(f"  its sagas in Temporal: {pages}")
    # end: temporal
    console.print("Ctrl-C stops everything; the next start finds all data again.")
