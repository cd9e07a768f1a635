"""What followers of the log need: a checkpoint, and a lease on the work.

A follower is anything that reads the log in order and leaves something elsewhere, such as a build
of a read model. Both ports know it by its name only.
"""

from typing import Protocol


class CheckpointMoved(Exception):
    """Another process has moved this checkpoint. Load it again and continue from there."""


class Checkpoints(Protocol):
    """The checkpoint of each follower; one for each shard of a follower that is split.

    A build of a read model is a follower that has the name of its table.

    All methods raise ``StoreUnavailable``.
    """

    async def load(self, name: str, shard: int = 0) -> int | None:
        """The position up to which the follower has handled every event; ``None``: it is new.

        After a crash of the store it may be an earlier one, never a later one.
        """
        ...

    async def advance(
        self, name: str, position: int, *, expected: int | None, events: int = 0, shard: int = 0
    ) -> None:
        """Move the checkpoint from ``expected`` (``None``: there is none yet) to ``position``.

        ``events`` were handled on the way. Raises :class:`CheckpointMoved`, and changes
        nothing, unless the checkpoint is still ``expected``. ``ValueError`` unless it moves on.
        """
        ...

    async def forget(self, name: str) -> None:
        """Remove the checkpoints of all shards, so that the follower starts at the first event."""
        ...


class Leases(Protocol):
    """Leases on work that only one process should do at a time. The store's clock ends them.

    A lease saves double work. It does not prove that no other process works: one may be suspended
    while its lease ends. So every result is also guarded by a checkpoint or an expected version.
    All methods raise ``StoreUnavailable``.
    """

    async def claim(self, name: str, holder: str, *, seconds: float) -> bool:
        """Take the lease for ``holder``, or renew it: it then ends after ``seconds``.

        Returns ``False``, and changes nothing, while another process holds it.
        """
        ...

    async def release(self, name: str, holder: str) -> None:
        """End the lease if ``holder`` has it, so that another can take it at once."""
        ...

    async def holder(self, name: str) -> str | None:
        """The holder of the lease now; ``None`` while it is free."""
        ...


def require_progress(position: int, expected: int | None) -> None:
    """``ValueError`` unless a checkpoint that goes from ``expected`` to ``position`` moves on."""
    if expected is not None and position <= expected:
        raise ValueError(f"a checkpoint only moves on: {position} is not beyond {expected}")
