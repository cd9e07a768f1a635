"""What the service is made of can be listed, and looked up among known vulnerabilities."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.documentation import ROOT
from tests.reference.program import NAME

PINS = ROOT / "requirements/build.txt"


@contextmanager
def _database(vulnerable: str | None) -> Iterator[str]:
    """The address of a database in which a vulnerability of one package is known."""

    class Database(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = asked["package"]["name"] == vulnerable
            affected = [{"package": asked["package"], "ranges": []}]
            one = {"id": "TEST-1", "summary": "a test", "affected": affected}
            answer = json.dumps({"vulns": [one]} if known else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Database)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _make(target: str, *variables: str, **environment: str) -> subprocess.CompletedProcess[str]:
    bin_ = f"BIN={Path(sys.executable).parent}"
    return subprocess.run(
        [
            "make",
            "--no-print-directory",
            "--assume-old=.venv/.dev",
            target,
            bin_,
            "REQUIREMENTS=build",
            *variables,
        ],
        cwd=ROOT,
        env={**os.environ, "NO_PROXY": "127.0.0.1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def _looked_up(address: str) -> subprocess.CompletedProcess[str]:
    return _make("vulnerabilities", OSV_URL=address)


def test_a_known_vulnerability_fails_the_look_up() -> None:
    """The package and the vulnerability are printed, and the target fails."""
    with _database(vulnerable="hatchling") as address:
        done = _looked_up(address)

    assert done.returncode != 0, done.stderr
    assert "hatchling" in done.stdout
    assert "TEST-1" in done.stdout


def test_packages_without_known_vulnerabilities_pass() -> None:
    """The target succeeds when every package was looked up, and nothing is known."""
    with _database(vulnerable=None) as address:
        done = _looked_up(address)

    assert (done.returncode, done.stdout) == (
        0,
        "No vulnerability is known in the packages of requirements/build.txt.\n",
    )


def test_what_was_not_looked_up_is_not_called_safe() -> None:
    """Without the database the target fails, and the message names what to set."""
    done = _looked_up("http://127.0.0.1:9")

    assert (done.returncode, done.stdout) == (2, "")
    assert "were not looked up: set OSV_URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_list_of_packages_has_each_pinned_one(tmp_path: Path) -> None:
    """`make sbom` writes CycloneDX: the service, and each package with version and hashes."""
    file = tmp_path / "sbom.json"
    done = _make("sbom", f"SBOM={file}")
    assert (done.returncode, done.stderr) == (0, "")

    bom = json.loads(file.read_text())
    assert bom["bomFormat"] == "CycloneDX"
    assert bom["metadata"]["component"]["name"] == NAME
    pinned = {line.split()[0] for line in PINS.read_text().splitlines() if "==" in line}
    assert {f"{one['name']}=={one['version']}" for one in bom["components"]} == pinned
    assert all(one["externalReferences"][0]["hashes"] for one in bom["components"])
