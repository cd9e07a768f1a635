"""With snapshots or without: the laws of the kit, on the shop."""

from tests.application.snapshot_laws import *  # noqa: F403 - every law is a test of this suite
from tests.domain.decider_laws import of
from tests.shop.domain.histories import SHOP_HISTORIES

pytest_generate_tests = of(SHOP_HISTORIES)
