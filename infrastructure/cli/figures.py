"""Numbers as a person reads them. Unknown is ``?``, never 0."""

UNKNOWN = "?"


def seconds(value: float | None) -> str:
    """``0 s``, ``0.3 s``, ``45 s``, ``12 min``, ``3.4 h``, ``14.0 days``."""
    if value is None:
        return UNKNOWN
    if value < 10:
        return f"{round(value, 1):g} s"
    if value < 120:
        return f"{value:.0f} s"
    if value < 7200:
        return f"{value / 60:.0f} min"
    return f"{value / 3600:,.1f} h" if value < 172_800 else f"{value / 86_400:,.1f} days"


def age(lag: float | None) -> str:
    """How old an answer is: ``up to date``, ``at most 12 s old``."""
    if lag is None:
        return "of unknown age: no process fills it"
    return "up to date" if lag == 0 else f"at most {seconds(lag)} old"


def count(value: int | None) -> str:
    """``1,234``."""
    return UNKNOWN if value is None else f"{value:,}"


def rate(value: float | None) -> str:
    """Of events: ``1,234/s``."""
    return UNKNOWN if value is None else f"{value:,.0f}/s"
