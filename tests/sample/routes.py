"""The bank over HTTP: accounts, and transfers between them."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response, status
from pydantic import BaseModel, Field

from application.access import AUDITOR
from application.paging import page, require_limit, view
from application.ports import StoreUnavailable
from application.sagas import queries as saga_queries
from application.sagas.lookup import SagaName
from application.sagas.operating import UnknownSaga
from domain.decider import Missing
from domain.values import Money, Text
from infrastructure.http.access import allowed
from infrastructure.http.commands import COMMAND_ERRORS, Done, Requested, entity_tag
from infrastructure.http.paging import After, Limit, following
from infrastructure.http.past import PastEvent, SagaProgress, past_events
from infrastructure.http.problems import BadQuestion, documented
from infrastructure.http.reading import Reading, answers
from infrastructure.http.served import Serving
from infrastructure.http.text import Body
from tests.sample.access import TELLER
from tests.sample.accounts import Deposit
from tests.sample.aggregates import TRANSFER
from tests.sample.money_transfer import money_transfer
from tests.sample.read_models import balances, payee_search, statements, transfer_summary
from tests.sample.read_models.balances import Balance
from tests.sample.read_models.payee_search import Payee
from tests.sample.read_models.statements import Statement
from tests.sample.read_models.transfer_summary import TransferSummary
from tests.sample.service import SAMPLE
from tests.sample.transfers import (
    CancelTransfer,
    CompleteTransfer,
    RequestTransfer,
    TransferStatus,
    UnknownTransfer,
)
from tests.sample.values import AccountId, Amount, Note, TransferId

router = APIRouter()

Account = Annotated[AccountId, Path(alias="account_id", examples=["a-1"])]
Transfer = Annotated[TransferId, Path(alias="transfer_id", examples=["t-1"])]
ERRORS = documented(UnknownTransfer, *COMMAND_ERRORS)
NEXT = "where the next page is; none: this was the last"


class UnknownAccount(Missing):
    """Nothing has ever been on this account."""


class NewDeposit(Body):
    amount: Amount = Field(examples=[5])


class NewTransfer(Body):
    source: AccountId = Field(examples=["a-1"])
    target: AccountId = Field(examples=["a-2"])
    amount: Amount = Field(examples=[3])
    fee: Money = Field(Money.zero("EUR"), examples=["0.50 EUR"])
    notes: list[Note] = Field([], max_length=2000, description="lines of its note")


class Reason(Body):
    reason: Text = Field(examples=["the wrong account"])


class Transfers(BaseModel):
    """One page of transfers, by id."""

    transfers: Sequence[TransferSummary]
    next: str | None = Field(description=NEXT)


class Payees(BaseModel):
    """One page of payees, those who receive most first."""

    payees: Sequence[Payee]


class History(BaseModel):
    """All that has happened to a transfer, oldest first."""

    events: Sequence[PastEvent]


@router.post(
    "/accounts/{account_id:path}/deposits",
    status_code=status.HTTP_201_CREATED,
    responses=documented(*COMMAND_ERRORS),
)
@allowed(TELLER)
async def deposit(id: Account, body: NewDeposit, request: Requested, response: Response) -> Done:
    """Money has come in."""
    command = Deposit(deposit_id=request.make_id("deposit"), amount=body.amount)
    return await request.carry_out(id, command, response)


@router.post("/transfers", status_code=status.HTTP_201_CREATED, responses=ERRORS)
@allowed(TELLER)
async def request(body: NewTransfer, request: Requested, response: Response) -> Done:
    """Request a transfer. ``Location`` says where it is."""
    id, note = request.make_id("transfer"), "\n".join(body.notes) or None
    asked = body.model_dump(exclude={"notes", "fee"})
    command = RequestTransfer(**asked, fee=body.fee, note=note)
    done = await request.carry_out(id, command, response)
    response.headers["Location"] = f"/transfers/{id}"
    return done


@router.post("/transfers/{transfer_id}/cancellation", responses=ERRORS)
@allowed(TELLER)
async def cancel(id: Transfer, body: Reason, request: Requested, response: Response) -> Done:
    """Cancel a transfer that is not complete."""
    return await request.carry_out(id, CancelTransfer(reason=body.reason), response)


@router.post("/transfers/{transfer_id}/completion", responses=ERRORS)
@allowed(TELLER)
async def complete(id: Transfer, request: Requested, response: Response) -> Done:
    """Let a transfer stand."""
    return await request.carry_out(id, CompleteTransfer(), response)


@router.get(
    "/transfers",
    responses=answers(),
    response_model_exclude={"transfers": {"__all__": set(transfer_summary.detail)}},
)
@allowed(TELLER, AUDITOR)
async def list_transfers(
    request: Request,
    reading: Reading,
    status: TransferStatus | None = None,
    source: Annotated[AccountId | None, Query(examples=["a-1"])] = None,
    after: After = None,
    limit: Limit = 50,
) -> Transfers:
    """Transfers by id, page by page."""
    wanted = {"status": status, "source": source}
    found = await page(await reading.of(transfer_summary), wanted, after=after, limit=limit)
    return Transfers(transfers=found.items, next=following(request, found))


@router.get("/transfers/{transfer_id}", responses=answers(UnknownTransfer))
@allowed(TELLER, AUDITOR)
async def get_transfer(id: Transfer, reading: Reading, response: Response) -> TransferSummary:
    """One transfer; ``ETag`` is the version to send as ``If-Match``."""
    found = reading.found(
        await view(await reading.of(transfer_summary), id),
        UnknownTransfer(f"no transfer {id} is known here"),
    )
    response.headers["ETag"] = entity_tag(found.version)
    return found


@router.get(
    "/transfers/{transfer_id}/history", responses=documented(UnknownTransfer, StoreUnavailable)
)
@allowed(TELLER, AUDITOR)
async def get_history(id: Transfer, service: Serving) -> History:
    """All that has happened to a transfer, from its stream."""
    events = await past_events(service.event_store.read(TRANSFER.stream(id)))
    if not events:
        raise UnknownTransfer(f"no transfer {id} is known here")
    return History(events=events)


@router.get("/transfers/{transfer_id}/progress", responses=answers(UnknownSaga))
@allowed(TELLER, AUDITOR)
async def get_progress(id: Transfer, reading: Reading) -> SagaProgress:
    """The saga that carries it out."""
    name = SagaName(money_transfer.name, id)
    saga = reading.found(
        await saga_queries.saga(await reading.of(SAMPLE.standings), name),
        UnknownSaga(f"nothing carries out a transfer {id}"),
    )
    return SagaProgress.model_validate(saga, from_attributes=True)


@router.get("/payees", responses=answers(BadQuestion))
@allowed(TELLER, AUDITOR)
async def list_payees(
    reading: Reading,
    words: Annotated[str, Query(max_length=200, examples=["rent"])] = "",
    limit: Limit = 50,
) -> Payees:
    """Accounts that were to be paid, by words of their notes."""
    require_limit(limit)
    found = await (await reading.of(payee_search)).search(words, limit=limit)
    return Payees(payees=[seen.view for _, seen in found])


@router.get("/statements/{account_id}", responses=answers(UnknownAccount))
@allowed(TELLER, AUDITOR)
async def get_statement(id: Account, reading: Reading) -> Statement:
    """An account with all its transfers."""
    found = await view(await reading.of(statements), id)
    return reading.found(found, UnknownAccount(f"{id} has no statement"))


@router.get("/accounts/{account_id:path}", responses=answers(UnknownAccount))
@allowed(TELLER, AUDITOR)
async def get_account(id: Account, reading: Reading, response: Response) -> Balance:
    """What is on an account."""
    found = reading.found(
        await view(await reading.of(balances), id),
        UnknownAccount(f"nothing was ever on {id}"),
    )
    response.headers["ETag"] = entity_tag(found.version)
    return found
