"""What forgets data subjects, over a wired service: each part is used when it is open."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from application.personal.forgetting import Forgetting, Tools
from application.projections.deploying import Deploy

_TOOLS: Final[Callable[..., Tools]] = Tools


def forgetting(
    settled: float, *tools: Any
) -> Callable[[Callable[[str], Awaitable[Deploy]]], Forgetting]:
    """Makes it of what deploys a read model, by its name."""
    return lambda deploy: Forgetting(_TOOLS(*tools, deploy), settled=settled)
