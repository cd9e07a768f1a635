"""The report on every line of an imported history. It adds up, or an error is raised."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self, TypeVar, assert_never

from pydantic import BaseModel, ConfigDict, model_validator

from application.shop.importing.rows import CURRENCY
from domain.decider import Command
from domain.orders import PlaceOrder, ReturnLines
from domain.values import Money


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A line that is not in the store, and why. ``reason`` is the same for all such lines."""

    line: int
    reason: str
    found: str = ""  # what this line has instead


@dataclass(frozen=True, slots=True)
class Unmatched(LeftOut):
    """A return that belongs to no order of the history."""


@dataclass(frozen=True, slots=True)
class Rejected(LeftOut):
    """A line that is broken, is not an order, or was refused by the domain."""


class Report(BaseModel):
    """The result of an import. Every line read is counted in exactly one of the four outcomes."""

    model_config = ConfigDict(frozen=True)

    lines: int  # read, without the header
    imported: int  # in an order or a stock write-off
    matched: int  # a return, recorded on its order
    unmatched: int  # a return whose order is not in the history
    rejected: int  # not imported, each for its reason
    orders: int
    order_lines: int
    order_value: Money
    write_offs: int
    returns: int  # events: the lines of one cancellation that belong to one order are one
    reasons: Mapping[str, int]  # the lines left out for each reason, the most frequent first
    unmatched_lines: tuple[Unmatched, ...]
    rejected_lines: tuple[Rejected, ...]

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.lines != self.imported + self.matched + self.unmatched + self.rejected:
            raise ValueError(
                f"{self.lines} lines were read, but {self.imported} imported, {self.matched} "
                f"matched, {self.unmatched} unmatched, {self.rejected} rejected: did the file "
                "change while it was read?"
            )
        return self

    def render(self) -> str:
        """The report for a person, a dozen lines; of each reason the first lines as examples."""
        return "\n".join(self._paragraphs())

    def _paragraphs(self) -> Iterator[str]:
        value = f"{self.order_value.amount:,f} {self.order_value.currency}"
        orders = f"{self.order_lines:,} lines of {self.orders:,} orders worth {value}"
        yield f"{self.lines:>9,} lines read, of which"
        yield f"{self.imported:>9,} imported: {orders}, {self.write_offs:,} stock write-offs"
        yield f"{self.matched:>9,} matched: returns, {self.returns:,} events on their orders"
        yield f"{self.unmatched:>9,} unmatched: returns"
        yield from _examples(self.unmatched_lines)
        yield f"{self.rejected:>9,} rejected"
        yield from _examples(self.rejected_lines)


def _examples(findings: Collection[LeftOut]) -> Iterator[str]:
    examples: dict[str, list[LeftOut]] = {}
    for finding in findings:
        examples.setdefault(finding.reason, []).append(finding)
    for reason, all in sorted(examples.items(), key=lambda item: -len(item[1])):
        shown = ", ".join(f"line {it.line}: {it.found}".rstrip(": ") for it in all[:3])
        yield f"{'':>9} {len(all):>6,} {reason} ({shown}{', …' if len(all) > 3 else ''})"


@dataclass
class ImportTally:
    """Counts while the import runs, in any order."""

    imported: int = 0
    matched: int = 0
    orders: int = 0
    order_lines: int = 0
    order_value: Decimal = Decimal(0)
    write_offs: int = 0
    returns: int = 0
    unmatched: list[Unmatched] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def settled(self) -> int:
        """The lines whose outcome is known, and durable where it is an event."""
        return self.imported + self.matched + len(self.unmatched) + len(self.rejected)

    def carried_out(self, command: Command, lines: int, value: Decimal) -> None:
        """Count a command of that many lines as carried out."""
        match command:
            case ReturnLines():
                self.matched += lines
                self.returns += 1
            case PlaceOrder():
                self.imported += lines
                self.orders += 1
                self.order_lines += lines
                self.order_value += value
            case _:
                self.imported += lines
                self.write_offs += 1

    def left_out(self, finding: Unmatched | Rejected) -> None:
        match finding:
            case Unmatched():
                self.unmatched.append(finding)
            case Rejected():
                self.rejected.append(finding)
            case _:
                assert_never(finding)

    def report(self, lines: int) -> Report:
        """Raises ``ValueError`` unless exactly ``lines`` lines are settled."""
        unmatched, rejected = _in_order(self.unmatched), _in_order(self.rejected)
        reasons = Counter(finding.reason for finding in (*unmatched, *rejected))
        return Report(
            lines=lines,
            imported=self.imported,
            matched=self.matched,
            unmatched=len(unmatched),
            rejected=len(rejected),
            orders=self.orders,
            order_lines=self.order_lines,
            order_value=Money(amount=self.order_value, currency=CURRENCY),
            write_offs=self.write_offs,
            returns=self.returns,
            reasons=dict(reasons.most_common()),
            unmatched_lines=unmatched,
            rejected_lines=rejected,
        )


F = TypeVar("F", bound=LeftOut)


def _in_order(findings: Collection[F]) -> tuple[F, ...]:
    return tuple(sorted(findings, key=lambda finding: finding.line))
