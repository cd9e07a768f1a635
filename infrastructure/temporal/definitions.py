"""Hands the sagas of a service to its workflows, which may import none of them themselves."""

from collections.abc import Iterable
from typing import Any, Final

from temporalio.worker import Interceptor, WorkflowInboundInterceptor, WorkflowInterceptorClassInput

from application.sagas.saga import Saga

DEFINITION: Final = "definition"
"""What the function is called by which a workflow gets its saga: ``(name, version)``."""


class UnknownDefinition(Exception):
    """A newer release has begun this saga; a worker of that release goes on with it."""


class Definitions(Interceptor):
    """The definitions of all sagas, each version that was ever released."""

    def __init__(self, sagas: Iterable[Saga[Any]]) -> None:
        self._sagas = {(saga.name, saga.version): saga for saga in sagas}

    def of(self, name: str, version: int) -> Saga[Any]:
        """Raises :class:`UnknownDefinition`."""
        if (name, version) not in self._sagas:
            raise UnknownDefinition(f"version {version} of {name} is of a newer release")
        return self._sagas[name, version]

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        """Intercepts nothing: it only hands the function in."""
        input.unsafe_extern_functions[DEFINITION] = self.of
        return None
