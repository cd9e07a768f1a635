"""A real EventStoreDB in a container, for the contract suites."""

import time
from typing import Self

import httpx
from testcontainers.core.container import DockerContainer

_START_SECONDS = 60.0


class EventStoreDBContainer(DockerContainer):
    """One node, insecure, its system projections running; gone with the tests."""

    def __init__(self, image: str = "eventstore/eventstore:24.10") -> None:
        super().__init__(image)
        self.with_exposed_ports(2113)
        self.with_env("EVENTSTORE_INSECURE", "true")
        self.with_env("EVENTSTORE_RUN_PROJECTIONS", "All")
        self.with_env("EVENTSTORE_START_STANDARD_PROJECTIONS", "true")

    @property
    def uri(self) -> str:
        return f"esdb://{self._address}?tls=false"

    def start(self) -> Self:
        super().start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_live():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.image} is not live after {_START_SECONDS:.0f} s")
            time.sleep(0.2)
        return self

    def _is_live(self) -> bool:
        try:
            return httpx.get(f"http://{self._address}/health/live").is_success
        except httpx.TransportError:
            return False

    @property
    def _address(self) -> str:
        return f"{self.get_container_host_ip()}:{self.get_exposed_port(2113)}"
