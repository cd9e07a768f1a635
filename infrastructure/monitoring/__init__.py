"""What Prometheus and Grafana are to watch, made from the declarations of what runs."""

from infrastructure.monitoring.alerts import Alert, alerts, alerts_of, rules
from infrastructure.monitoring.dashboard import dashboard

__all__ = ["Alert", "alerts", "alerts_of", "dashboard", "rules"]
