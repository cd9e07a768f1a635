"""Forget a data subject: an action that cannot be undone."""

from dataclasses import dataclass

from application.operating.action import EXAMPLES, Done, Preview, Refused, Tools
from application.projections.builds import Note
from application.whole_log import Report, unreported


@dataclass(frozen=True)
class ForgetSubject:
    """Destroy the key of a data subject, and rebuild the views that may hold its data."""

    subject: str
    report: Report = unreported
    long: bool = True

    @property
    def name(self) -> str:
        return "personal-data forget"

    @property
    def target(self) -> str:
        return self.subject

    async def preview(self, tools: Tools) -> Preview:
        try:
            known = await tools.forgetting().known(self.subject, self.report)
        except ValueError as error:
            raise Refused(str(error)) from error
        rebuilt = ", ".join(known.read_models)
        views = f" Rebuilds {rebuilt}, and drops their former builds." if rebuilt else ""
        return Preview(
            does=f"Destroys the key of {self.subject}: its personal data in these events reads as "
            f"masks from then on, in every store.{views}",
            number=known.events,
            unit="event",
            examples=known.streams[:EXAMPLES],
            before="forgotten" if known.forgotten else "not forgotten",
            warnings=["It cannot be undone: the subject never gets another key."],
        )

    async def perform(self, tools: Tools, note: Note) -> Done:
        known = await tools.forgetting().forget(self.subject, note, self.report)
        rebuilt = ", ".join(known.read_models)
        views = f"; {rebuilt} rebuilt" if rebuilt else ""
        return Done(f"the key is destroyed; events masked: {known.events:,}{views}", result=known)
