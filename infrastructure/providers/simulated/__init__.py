"""Simulated providers: in memory, or in a process of their own (``process.py``).

A service declares each (:class:`SimulatedProvider`): its calls, its rules, its records. It gets a
ledger that gives every key one answer, a journal that survives ``kill -9``, faults that are set by
``PUT /faults``, and a connection in memory that misbehaves in the same ways.
"""

from infrastructure.providers.simulated.connection import SimulatedConnection
from infrastructure.providers.simulated.faults import Fault, FaultPlan, Faults
from infrastructure.providers.simulated.rules import (
    Answer,
    Entry,
    Refusal,
    SimulatedProvider,
    Subject,
)

__all__ = [
    "Answer",
    "Entry",
    "Fault",
    "FaultPlan",
    "Faults",
    "Refusal",
    "SimulatedConnection",
    "SimulatedProvider",
    "Subject",
]
