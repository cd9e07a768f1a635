"""What is counted as the cost of a call."""

import math

from tests.dynamodb.faults import Answer, Call, Document
from tests.dynamodb.units import Units, size_of

ITEM = {"stream": {"S": "order-1"}, "version": {"N": "120"}}


def test_the_size_of_an_item_counts_names_and_values() -> None:
    """As AWS documents it: text in UTF-8, two digits of a number a byte and one, three for a list
    or a map and one for each element."""
    assert size_of(ITEM) == len("streamorder-1version") + 2
    assert size_of({"l": {"L": [{"S": "é"}, {"M": {"a": {"S": "b"}}}]}}) == 1 + 3 + 3 + 1 + 3 + 3


async def test_a_transaction_costs_twice_and_what_is_read_is_rounded_up() -> None:
    """A write of 1 KB is a unit, one in a transaction two; a consistent read of 4 KB is one."""
    units = Units()
    large = {**ITEM, "data": {"S": "x" * 2000}}

    async def send(_: Document) -> Answer:
        return Answer(200, {"Items": [large, large, large]})

    puts = [{"Put": {"TableName": "t-streams", "Item": item}} for item in (ITEM, large)]
    await units(Call("TransactWriteItems", {"TransactItems": puts}), send)
    await units(Call("PutItem", {"TableName": "t-groups", "Item": large}), send)
    assert units.writes == {"streams": 2 + 4, "groups": 2}

    await units(Call("Query", {"TableName": "t-log", "ConsistentRead": True}), send)
    assert units.reads == math.ceil(3 * size_of(large) / 4096)
    assert units.requests == 3
