"""The manifests have the form that Kubernetes takes: ``make manifests``."""

import pytest

from tests.delivery.test_kubernetes import MANIFESTS, Manifest

validator = pytest.importorskip("kubernetes_validate", reason="installed by `make manifests`")

OLDEST, NEWEST = "1.33", "1.37"
"""The versions of Kubernetes for which the manifests are written."""


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda one: one["kind"])
def test_each_manifest_is_valid(manifest: Manifest, version: str) -> None:
    """No field is unknown, of another type, or missing."""
    validator.validate(manifest, version, strict=True)
