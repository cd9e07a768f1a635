"""The manifests for Kubernetes fit the program: its roles, settings, routes, and the image.

No cluster is needed: the files are read, and patched as ``kubectl kustomize`` does.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
import yaml
from dotenv import dotenv_values

from infrastructure.http import operations
from infrastructure.roles import Role
from infrastructure.settings.reading import parse
from tests.documentation import ROOT
from tests.reference.commands import options
from tests.reference.program import NAME, PROGRAM

FOLDER: Final = ROOT / "infrastructure/kubernetes"
KUSTOMIZATION: Final = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
SECRETS: Final = {  # those that a service needs, in their form
    "api_token": "only-for-this-test",
    "eventstoredb_uri": "esdb://user:secret@eventstoredb:2113",  # only: eventstoredb
    "postgres_uri": "postgresql://user:secret@postgres/service",  # only: postgres
    "opensearch_uri": "https://user:secret@opensearch:9200",  # only: opensearch
    "algolia_api_key": "only-for-this-test",  # only: algolia
}
IN_ALL: Final = (
    "api",
    "eventstoredb",  # only: eventstoredb
    "postgres",  # only: postgres
)
"""What begins the names of those that are needed wherever the example names them."""

Manifest = Mapping[str, Any]


def _documents(file: str) -> Iterator[Manifest]:
    yield from yaml.safe_load_all((FOLDER / file).read_text())


def _manifests() -> Iterator[Manifest]:
    """All that is applied, patched."""
    for manifest in (one for file in KUSTOMIZATION["resources"] for one in _documents(file)):
        for patch in KUSTOMIZATION["patches"]:
            if patch["target"]["kind"] == manifest["kind"]:
                (change,) = _documents(patch["path"])
                manifest = _patched(manifest, {"spec": change["spec"]})
        yield manifest


def _patched(document: Any, change: Any) -> Any:
    """Mappings are merged; so are items of lists that have the same name."""
    if isinstance(document, dict) and isinstance(change, dict):
        both = document.keys() & change.keys()
        merged = {key: _patched(document[key], change[key]) for key in both}
        return {**document, **change, **merged}
    if isinstance(document, list) and isinstance(change, list):
        named = {one["name"]: one for one in document}
        changed = {one["name"]: one for one in change}
        return list(_patched(named, changed).values())
    return change


MANIFESTS: Final = tuple(_manifests())
DEPLOYMENTS: Final = {
    one["metadata"]["labels"]["app.kubernetes.io/component"]: one
    for one in MANIFESTS
    if one["kind"] == "Deployment"
}
WORKLOADS: Final = [one for one in MANIFESTS if one["kind"] in ("Deployment", "Job")]


def _name(manifest: Manifest) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def _container(manifest: Manifest) -> Manifest:
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    found: Manifest = container
    return found


def test_every_file_is_applied_or_is_a_component() -> None:
    """No manifest is forgotten: the kustomization names each file of the folder."""
    (settings,) = KUSTOMIZATION["configMapGenerator"]
    patches = [patch["path"] for patch in KUSTOMIZATION["patches"]]
    named = [*KUSTOMIZATION["resources"], *patches, *settings["envs"]]

    assert {file.name for file in FOLDER.iterdir() if file.is_file()} == {
        *named,
        "kustomization.yaml",
        "secrets.env.example",
    }


def test_each_role_is_a_deployment_of_two() -> None:
    """Each process has one role. A second takes over when one ends, and one stays at all times."""
    assert set(DEPLOYMENTS) == set(Role)
    kept = {
        one["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"]: one["spec"]
        for one in MANIFESTS
        if one["kind"] == "PodDisruptionBudget"
    }
    for role, deployment in DEPLOYMENTS.items():
        assert _container(deployment)["args"] == [NAME, "serve", "--role", role]
        assert deployment["spec"]["replicas"] == 2
        assert kept[role]["minAvailable"] == 1


@pytest.mark.parametrize("manifest", WORKLOADS, ids=_name)
def test_each_process_runs_a_command_that_is_there(manifest: Manifest) -> None:
    """Its arguments are a command of the program, with options that it has."""
    program, *words = _container(manifest)["args"]
    known = options()
    command = next(name for name in (" ".join(words[:2]), words[0]) if name in known)

    assert program == NAME
    assert {word for word in words if word.startswith("--")} <= {*known[command]}


@pytest.mark.parametrize("manifest", MANIFESTS, ids=_name)
def test_labels_lead_to_pods(manifest: Manifest) -> None:
    """What a service, a deployment or a budget selects is what pods of one deployment are."""
    spec = manifest.get("spec", {})
    if "selector" not in spec:
        return
    selected = spec["selector"].get("matchLabels", spec["selector"])
    pods = [one["spec"]["template"]["metadata"]["labels"] for one in DEPLOYMENTS.values()]
    assert pods.count(selected) == 1


@pytest.mark.parametrize("manifest", DEPLOYMENTS.values(), ids=_name)
def test_probes_ask_what_a_process_answers(manifest: Manifest) -> None:
    """They request routes of the program, at the port on which the image listens."""
    container = _container(manifest)
    (port,) = container["ports"]
    assert f"HEADWATER_HTTP_PORT={port['containerPort']}" in (ROOT / "Dockerfile").read_text()
    routes = {route.path for route in operations.router.routes if hasattr(route, "path")}
    paths = {"startupProbe": "live", "livenessProbe": "live", "readinessProbe": "ready"}
    for probe, health in paths.items():
        request = container[probe]["httpGet"]
        assert request == {"path": f"/health/{health}", "port": port["name"]}
        assert request["path"] in routes


def test_the_metrics_are_read_where_they_are() -> None:
    """The monitor requests a route of the program, at the same port, with the token."""
    (monitor,) = _documents("monitoring/pods.yaml")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    (port,) = _container(DEPLOYMENTS["api"])["ports"]

    assert endpoint["port"] == port["name"]
    assert endpoint["path"] in {getattr(route, "path", "") for route in operations.router.routes}
    assert endpoint["authorization"]["credentials"]["key"] == PROGRAM.settings.name_of("api_token")


@pytest.mark.parametrize("manifest", WORKLOADS, ids=_name)
def test_no_process_has_more_rights_than_it_needs(manifest: Manifest) -> None:
    """It is not root, gains nothing, writes only where it has to, and has no key to the cluster."""
    pod, container = manifest["spec"]["template"]["spec"], _container(manifest)
    user = re.search(r"--uid (\d+)", (ROOT / "Dockerfile").read_text())
    assert user
    assert pod["securityContext"]["runAsUser"] == int(user[1])
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {mount["name"] for mount in container["volumeMounts"]} == {
        volume["name"] for volume in pod["volumes"]
    }
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert container["resources"]["limits"].keys() == {"memory"}


def test_the_settings_are_right() -> None:
    """With the secrets that the example names, the settings are enough to `serve`."""
    chosen, secrets = _variables("settings.env"), _variables("secrets.env.example")
    assert {*secrets.values()} == {""}
    model = PROGRAM.settings
    needed = {
        name: text
        for field, text in SECRETS.items()
        if (name := model.name_of(field)) in secrets
        if field.partition("_")[0] in (*IN_ALL, *chosen.values())
    }

    settings = parse(model, {model.name_of("http_host"): "0.0.0.0", **chosen, **needed})

    assert all(settings.leads_to(field) for field in settings.servers), settings.servers
    assert "headwater" in settings.trusted_hosts


def _variables(file: str) -> Mapping[str, str]:
    found = dotenv_values(FOLDER / file, interpolate=False)
    return {name: value or "" for name, value in found.items()}
