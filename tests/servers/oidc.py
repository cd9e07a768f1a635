"""OpenID Connect by oidc-provider: the real protocol, from a small identity provider."""

import shutil
from pathlib import Path
from typing import Final

from tests.servers.installing import Draft, home, run
from tests.servers.node import install_node, node, npm
from tests.servers.server import LOCALHOST, Launch, NotHere, Server, answers, free_ports

_NAME: Final = "oidc"
_PACKAGE: Final = "oidc-provider@9.13.3"
CLIENT: Final = ("headwater", "only-on-this-machine")
ON_ANY_PORT: Final = "any-port"
"""A client without a secret, of a service at 127.0.0.1."""
CALLBACK: Final = (
    # where the provider sends who has logged in
    "/console"  # only: console
    "/log-in/callback"
)
AUDIENCE: Final = "https://headwater.example"
_SCRIPT: Final = Path(__file__).with_name("oidc_provider.mjs")


def _modules() -> Path:
    return home() / _NAME / "node_modules"


def _require() -> None:
    node()
    if not _modules().is_dir():
        raise NotHere("is not installed: `make servers` does that, with npm")


def _install() -> None:
    install_node()
    if _modules().is_dir():
        return
    with Draft(home() / _NAME, "node_modules") as draft:
        options = ["--no-audit", "--no-fund", "--no-save", "--no-package-lock", "--loglevel=error"]
        run([*npm(), "install", *options, f"--prefix={draft}", _PACKAGE])
        for each in (draft / "node_modules").iterdir():
            each.rename(draft / each.name)
        (draft / "node_modules").rmdir()


def _launch(directory: Path) -> Launch:
    (port,) = free_ports(1)
    issuer = f"http://{LOCALHOST}:{port}"
    (directory / "node_modules").symlink_to(_modules())  # a module is looked for beside the script
    script = Path(shutil.copy(_SCRIPT, directory))
    command = [node(), "--preserve-symlinks-main", str(script)]
    return Launch([*command, LOCALHOST, str(port), issuer, CALLBACK], issuer)


def _is_ready(issuer: str) -> bool:
    return answers(f"{issuer}/.well-known/openid-configuration")


OIDC: Final = Server(_NAME, "OIDC_ISSUER", _require, _install, _launch, _is_ready)
