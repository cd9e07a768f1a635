"""The workflow with a change in its loop: without a gate, and with one."""

from collections.abc import Sequence
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue

from infrastructure.temporal.workflow import SagaWorkflow

PAUSE = timedelta(seconds=1)


@workflow.defn(dynamic=True)
class Ungated(SagaWorkflow):
    """Waits a second first: what is under way never did."""

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> str:
        await workflow.sleep(PAUSE)
        return await super().run(args)


@workflow.defn(dynamic=True)
class Gated(SagaWorkflow):
    """The same, for workflows that begin with this release."""

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> str:
        if workflow.patched("pause first"):
            await workflow.sleep(PAUSE)
        return await super().run(args)
