"""What stops a projection: an event that it cannot take in, or a log that does not fit."""

from uuid import UUID

from application.messages import RecordedEvent


class ProjectionFailed(Exception):
    """A projection cannot take in an event. It stays where it is: everything before is in."""

    def __init__(self, name: str, recorded: RecordedEvent, cause: Exception) -> None:
        self.name, self.position, self.event_id = name, recorded.position, recorded.id
        self.event = f"{recorded.type} {recorded.stream}@{recorded.version}"
        self.error = f"{type(cause).__name__}: {cause}"
        super().__init__(
            f"{name} stopped at position {self.position}: {self.event} ({self.event_id}): "
            f"{self.error}"
        )


class AheadOfLog(ProjectionFailed):
    """A checkpoint lies beyond the end of the log: the views show events that are not there."""

    def __init__(self, name: str, position: int) -> None:
        self.name, self.position, self.event_id = name, position, UUID(int=0)
        self.event = "no event"
        self.error = (
            "its checkpoint lies beyond the end of the log, so an older backup of the event store "
            f"was restored: `projections deploy {name} --accept-differences`"
        )
        Exception.__init__(self, f"{name} stopped at position {position}: {self.error}")
