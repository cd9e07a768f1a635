"""The read models of the bank, one of each kind, each from its events, delivered several times."""

from application.projections.folding import projected
from domain.values import Money
from infrastructure import memory
from tests.projection_specification import ProjectionSpecification, at, recorded
from tests.sample.accounts import Deposited, Held, Released, Withdrawn
from tests.sample.read_models import (
    balances,
    daily_transfers,
    payee_search,
    statements,
    transfer_summary,
)
from tests.sample.read_models.balances import Balance
from tests.sample.read_models.daily_transfers import DailyTransfers
from tests.sample.read_models.payee_search import Payee
from tests.sample.read_models.statements import ENTRIES, Entry, Statement
from tests.sample.read_models.transfer_summary import TransferSummary
from tests.sample.service import SAMPLE
from tests.sample.transfers import (
    TransferApproved,
    TransferCancelled,
    TransferReminded,
    TransferRequested,
    TransferStatus,
)

FEE = Money.parse("0.5 EUR")
RENT = TransferRequested(source="ann", target="bob", amount=3, fee=FEE, note="for the rent")
LOAN = TransferRequested(source="cid", target="bob", amount=4, fee=FEE, note="a loan")


def test_an_account_shows_what_is_on_it_and_what_is_free() -> None:
    """Held is not free; withdrawn is gone; released is free again."""
    account = ProjectionSpecification(SAMPLE.catalogue, balances)

    account.given(
        ("account-ann", Deposited(deposit_id="d-1", amount=9)),
        ("account-ann", Held(transfer_id="t-1", amount=3)),
        ("account-ann", Held(transfer_id="t-2", amount=2)),
        ("account-ann", Held(transfer_id="t-3", amount=1)),
        ("account-ann", Withdrawn(transfer_id="t-1", amount=3)),
        ("account-ann", Released(transfer_id="t-2", amount=2)),
    ).then({"ann": Balance(account_id="ann", version=5, balance=6, held=1, free=5)})


def test_a_transfer_shows_how_it_stands() -> None:
    """With its version, its reminders, and when it changed."""
    transfer = ProjectionSpecification(SAMPLE.catalogue, transfer_summary)

    transfer.given(
        ("transfer-t-1", RENT),
        ("transfer-t-1", TransferReminded(reminder_id="r-1")),
        ("transfer-t-1", TransferReminded(reminder_id="r-2")),
        ("transfer-t-1", TransferApproved()),
    ).then(
        {
            "t-1": TransferSummary(
                transfer_id="t-1",
                version=3,
                status=TransferStatus.APPROVED,
                source="ann",
                target="bob",
                amount=3,
                fee=FEE,
                requested_at=at(0),
                updated_at=at(3),
                reminders=2,
                note="for the rent",
            )
        }
    )


def test_a_day_has_the_sums_of_its_transfers() -> None:
    """A cancelled one counts on the day of its request, and has no amount there any more."""
    day = ProjectionSpecification(SAMPLE.catalogue, daily_transfers)
    minutes = 24 * 60

    day.given_at(
        (0, "transfer-t-1", RENT),
        (1, "transfer-t-2", LOAN),
        (minutes, "transfer-t-3", LOAN),
        (minutes + 1, "transfer-t-2", TransferCancelled(reason="no")),
    ).then(
        {
            f"{date}/EUR": DailyTransfers(
                day=date,
                currency="EUR",
                transfers=transfers,
                cancelled=cancelled,
                amount=amount,
                fees=FEE,
            )
            for date, transfers, cancelled, amount in (
                (at(0).date(), 2, 1, 3),
                (at(minutes).date(), 1, 0, 4),
            )
        }
    )


def test_a_payee_is_found_by_notes_and_ranked_by_what_it_receives() -> None:
    """What was cancelled is not received; its note has been written all the same."""
    payee = ProjectionSpecification(SAMPLE.catalogue, payee_search)

    payee.given(
        ("transfer-t-1", RENT),
        ("transfer-t-2", LOAN),
        ("transfer-t-2", TransferCancelled(reason="no")),
    ).then(
        {"bob": Payee(account_id="bob", notes=("a loan", "for the rent"), transfers=1, received=3)}
    )


def test_a_statement_joins_accounts_and_transfers() -> None:
    """What comes before the request waits for it; a transfer is on two statements."""
    statement = ProjectionSpecification(SAMPLE.catalogue, statements)

    statement.given(
        ("account-ann", Deposited(deposit_id="d-1", amount=9)),
        ("account-ann", Held(transfer_id="t-1", amount=3)),
        ("transfer-t-1", RENT),
        ("transfer-t-2", LOAN),
        ("account-ann", Withdrawn(transfer_id="t-1", amount=3)),
    ).then(
        {
            "ann": Statement(account_id="ann", transfers=1, entries=(entry("t-1", -3, True),)),
            "cid": Statement(account_id="cid", transfers=1, entries=(entry("t-2", -4),)),
            "bob": Statement(
                account_id="bob", transfers=2, entries=(entry("t-1", 3, True), entry("t-2", 4))
            ),
        }
    )


async def test_a_statement_shows_the_last_transfers_and_counts_all() -> None:
    """So the view of a busy account does not grow, whatever happens to a transfer left out."""
    past = [(f"transfer-t-{number}", RENT) for number in range(1000, 1000 + ENTRIES + 20)]
    late = ("transfer-t-1000", TransferCancelled(reason="no"))
    *first, last = recorded(SAMPLE.catalogue, [*past, late])
    views = memory.Views(statements)
    changed, parts = await projected(statements, first, views)
    await views.save(changed, parts=parts, checkpoint=first[-1].position, expected=None)
    changed, _ = await projected(statements, [last], views)

    shown = changed["bob"].view  # type: ignore[union-attr]  # it is there
    assert (shown.transfers, len(shown.entries)) == (ENTRIES + 20, ENTRIES)
    assert shown.entries[0].transfer_id == "t-1020"


def entry(id: str, amount: int, withdrawn: bool = False) -> Entry:
    return Entry(transfer_id=id, amount=amount, cancelled=False, held=0, withdrawn=withdrawn)
