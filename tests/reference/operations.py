"""What Prometheus and Grafana are to watch, by the names of the files that keep it."""

import sys
from collections.abc import Mapping
from typing import Final

from infrastructure.monitoring import dashboard, rules
from tests.reference.program import PROGRAM

FILES: Final[Mapping[str, str]] = {
    "alerts.yml": rules(PROGRAM.service),
    "dashboard.json": dashboard(PROGRAM.service),
}

if __name__ == "__main__":
    print(FILES[sys.argv[1]], end="")
