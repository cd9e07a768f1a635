"""The Temporal of the tests does what it is there for."""

import subprocess

from tests.servers import temporal_program


def test_temporal_has_a_namespace(temporal: str) -> None:
    """The namespace that clients use by default is there."""
    ask = [temporal_program(), "operator", "namespace", "list", f"--address={temporal}"]
    assert "default" in subprocess.run(ask, capture_output=True, text=True, check=True).stdout
