"""``python -m tests.shop.benchmarks.whole_orders --help``."""

from tests.shop.benchmarks.whole_orders.measuring import command

if __name__ == "__main__":
    command()
