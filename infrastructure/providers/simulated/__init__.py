"""A payment provider and a carrier that only act as if, in a process of their own.

They keep books that survive ``kill -9``, and can be told to misbehave: ``PUT /faults``.
"""

from infrastructure.providers.simulated.faults import Fault, Faults
from infrastructure.providers.simulated.process import SimulatedProviders, SimulationFailed

__all__ = ["Fault", "Faults", "SimulatedProviders", "SimulationFailed"]
