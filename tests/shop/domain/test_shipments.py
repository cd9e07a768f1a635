"""The rules of a shipment, one sentence each."""

from domain import shipments
from domain.shipments import (
    AlreadyBooked,
    AlreadyCancelled,
    AlreadyDelivered,
    AlreadyFailed,
    AlreadyHandedOver,
    BookShipment,
    CancelShipment,
    DeliverShipment,
    FailShipment,
    HandOverShipment,
    NotHandedOver,
    OtherParcel,
    ShipmentBooked,
    ShipmentCancelled,
    ShipmentDelivered,
    ShipmentFailed,
    ShipmentHandedOver,
    UnknownShipment,
)
from tests.specification import Specification

shipment = Specification(shipments.decider)

BOOKED = ShipmentBooked(order_id="o-1", carrier="Royal Mail", country="France")
HANDED_OVER = ShipmentHandedOver(tracking_code="RM 123 456")

new = shipment.given()
booked = shipment.given(BOOKED)
handed_over = shipment.given(BOOKED, HANDED_OVER)
delivered = shipment.given(BOOKED, HANDED_OVER, ShipmentDelivered())
failed = shipment.given(BOOKED, HANDED_OVER, ShipmentFailed(reason="lost"))
cancelled = shipment.given(BOOKED, ShipmentCancelled())


def test_a_shipment_is_booked() -> None:
    """Booking names the order, the carrier and the country it goes to."""
    new.when(BookShipment(order_id="o-1", carrier="Royal Mail", country="France")).then(BOOKED)


def test_an_id_stands_for_one_shipment() -> None:
    """The same booking changes nothing, even after delivery; another one is refused."""
    delivered.when(
        BookShipment(order_id="o-1", carrier="Royal Mail", country="France")
    ).then_nothing()
    booked.when(BookShipment(order_id="o-2", carrier="Royal Mail", country="France")).then_refused(
        AlreadyBooked
    )
    booked.when(BookShipment(order_id="o-1", carrier="DHL", country="France")).then_refused(
        AlreadyBooked
    )


def test_a_report_names_its_parcel() -> None:
    """A tracking code that is another parcel's is refused; one that fits, or none, is taken."""
    handed_over.when(DeliverShipment(tracking_code="RM 123 456")).then(ShipmentDelivered())
    for report in (
        DeliverShipment(tracking_code="RM 999"),
        FailShipment(tracking_code="RM 999", reason="lost"),
    ):
        handed_over.when(report).then_refused(OtherParcel)
    delivered.when(DeliverShipment(tracking_code="RM 999")).then_refused(OtherParcel)
    booked.when(DeliverShipment(tracking_code="RM 123 456")).then_refused(NotHandedOver)


def test_only_booking_starts_a_shipment() -> None:
    """Every other wish about a shipment that does not exist is answered with: unknown."""
    for command in (
        HandOverShipment(tracking_code="RM 123 456"),
        DeliverShipment(),
        FailShipment(reason="lost"),
        CancelShipment(),
    ):
        new.when(command).then_refused(UnknownShipment)


def test_a_booked_parcel_is_handed_over() -> None:
    """The carrier gives it a tracking code."""
    booked.when(HandOverShipment(tracking_code="RM 123 456")).then(HANDED_OVER)


def test_a_parcel_is_handed_over_once() -> None:
    """The same code again changes nothing, whatever became of the parcel; another is refused."""
    for gone in (handed_over, delivered, failed):
        gone.when(HandOverShipment(tracking_code="RM 123 456")).then_nothing()
        gone.when(HandOverShipment(tracking_code="RM 999 999")).then_refused(AlreadyHandedOver)


def test_a_parcel_is_delivered_by_the_carrier() -> None:
    """Delivery follows hand-over and nothing else."""
    handed_over.when(DeliverShipment()).then(ShipmentDelivered())
    booked.when(DeliverShipment()).then_refused(NotHandedOver)


def test_a_parcel_may_never_arrive() -> None:
    """What the carrier has can get lost or be sent back; what it does not have cannot."""
    handed_over.when(FailShipment(reason="lost")).then(ShipmentFailed(reason="lost"))
    booked.when(FailShipment(reason="lost")).then_refused(NotHandedOver)


def test_a_parcel_comes_to_one_end() -> None:
    """Delivered is not failed, and failed is not delivered; a second reason fails nothing twice."""
    delivered.when(FailShipment(reason="lost")).then_refused(AlreadyDelivered)
    failed.when(DeliverShipment()).then_refused(AlreadyFailed)
    failed.when(FailShipment(reason="sent back")).then_nothing()


def test_a_shipment_is_cancelled_before_the_carrier_has_it() -> None:
    """Booked, it can be cancelled."""
    booked.when(CancelShipment()).then(ShipmentCancelled())


def test_what_the_carrier_has_cannot_be_cancelled() -> None:
    """After hand-over it is too late."""
    for gone in (handed_over, delivered, failed):
        gone.when(CancelShipment()).then_refused(AlreadyHandedOver)


def test_a_cancelled_shipment_stays_cancelled() -> None:
    """Nothing more happens to it."""
    for command in (
        HandOverShipment(tracking_code="RM 123 456"),
        DeliverShipment(),
        FailShipment(reason="lost"),
    ):
        cancelled.when(command).then_refused(AlreadyCancelled)
