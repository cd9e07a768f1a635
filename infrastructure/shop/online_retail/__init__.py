"""The order history of a real shop: its file format, and a sample (see ``ATTRIBUTION.md``)."""

from pathlib import Path

from infrastructure.shop.online_retail.form import Dates, Encoding
from infrastructure.shop.online_retail.history import History, NotAHistory

SAMPLE = Path(__file__).with_name("online_retail_sample.csv.gz")

__all__ = ["SAMPLE", "Dates", "Encoding", "History", "NotAHistory"]
