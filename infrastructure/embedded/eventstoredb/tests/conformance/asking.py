"""Asks a node all questions: many scenarios at once, then those that must be alone."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

import grpc

from conformance import questions
from conformance.node import PATIENT, QUICK, Node
from conformance.normal_form import fault, normal
from conformance.scenarios import Scenario
from conformance.target import NotAsked, Target

_AT_ONCE: Final = 12
_CONNECT_SECONDS: Final = 10.0
_OPTIONS: Final = (("grpc.max_receive_message_length", 64 << 20),)

for _module in iter_modules(questions.__path__):
    import_module(f"{questions.__name__}.{_module.name}")  # each declares its scenarios

Asked = Mapping[str, object]  # the answer to each question, by its name


async def ask(target: Target, scenarios: Sequence[Scenario]) -> Asked:
    """The answers of a node, asked as fast as possible. Raises NotAsked if it cannot be reached."""
    async with _connected(target) as channel:
        turns = asyncio.Semaphore(_AT_ONCE)

        async def in_turn(scenario: Scenario) -> Asked:
            async with turns:
                return await _answers(scenario, Node(channel, target.http, QUICK))

        answers = await asyncio.gather(*(in_turn(one) for one in scenarios if not one.alone))
        alone = [one for one in scenarios if one.alone]
        answers += [await _answers(one, Node(channel, target.http, QUICK)) for one in alone]
    return {name: answer for asked in answers for name, answer in asked.items()}


async def ask_patiently(target: Target, scenarios: Sequence[Scenario]) -> Asked:
    """The same, one scenario after the other: a busy machine is slow, and not wrong."""
    answers: dict[str, object] = {}
    async with _connected(target) as channel:
        for one in scenarios:
            answers |= await _answers(one, Node(channel, target.http, PATIENT))
    return answers


@asynccontextmanager
async def _connected(target: Target) -> AsyncIterator[grpc.aio.Channel]:
    host, _, port = target.grpc.rpartition(":")
    try:
        _, probe = await asyncio.wait_for(asyncio.open_connection(host, port), _CONNECT_SECONDS)
    except OSError as error:
        raise NotAsked(f"no node answers at {target.grpc}: start one there") from error
    probe.close()
    async with grpc.aio.insecure_channel(target.grpc, options=_OPTIONS) as channel:
        yield channel


async def _answers(scenario: Scenario, node: Node) -> Asked:
    """A scenario that breaks off has one more answer: why."""
    answers: dict[str, object] = {}
    try:
        async for question, answer in scenario.questions(node):
            answers[scenario.question(question)] = normal(answer, node.run)
    except grpc.aio.AioRpcError as error:
        answers[scenario.question("broke off")] = normal(fault(error), node.run)
    except asyncio.CancelledError:
        _raise_if_cancelled()
        answers[scenario.question("broke off")] = "cancelled"
    except Exception as error:  # an answer in a form that the scenario does not expect
        answers[scenario.question("broke off")] = f"{type(error).__name__}: {error}"
    return answers


def _raise_if_cancelled() -> None:
    """Continue a cancellation of this task.

    A call that is still sending at its deadline is cancelled by gRPC, with the same exception.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
