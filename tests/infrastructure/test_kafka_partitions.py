"""What a consumer hands out after another has died: the records that may be the cause, alone."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from application.ports import BusRecord
from application.receiving.receiver import DEADLY
from infrastructure.kafka.partition import Partition, Place, Progress
from infrastructure.kafka.partitions import Partitions

BUFFER = 10
Record = tuple[str, int, int]


def with_records(deaths: dict[int, int], each: int = 3) -> Partitions:
    """Partitions by number, so many of whose consumers have died, with a few records each."""
    partitions = Partitions(BUFFER)
    for number, died in deaths.items():
        partitions.assigned(("t", number))
        for offset in range(each):
            partitions.arrived(BusRecord("t", number, offset, None, b""))
        partitions.begin(("t", number), died)
    committed(partitions)
    return partitions


def committed(partitions: Partitions) -> dict[int, str]:
    """Commit what is done; the marks, by partition."""
    progress = partitions.progress()
    partitions.committed(progress)
    return {number: mark for (_, number), (_, mark) in progress.items()}


def handed(partitions: Partitions) -> list[tuple[Partition, BusRecord]]:
    """All that is handed out now."""
    found = []
    while one := partitions.next():
        found.append(one)
    return found


def test_records_are_handed_out_together_where_nobody_has_died() -> None:
    """Up to the buffer of each partition."""
    assert len(handed(with_records({0: 0, 1: 0}))) == 6


def test_nothing_is_handed_out_before_the_mark_is_committed() -> None:
    """Else a death would not be counted."""
    partitions = Partitions(BUFFER)
    partitions.assigned(("t", 0))
    partitions.arrived(BusRecord("t", 0, 0, None, b""))
    assert handed(partitions) == []
    partitions.begin(("t", 0), 0)
    assert handed(partitions) == []
    assert committed(partitions) == {0: "1"}
    assert len(handed(partitions)) == 1


def test_what_may_have_killed_a_consumer_is_the_only_record_in_hand() -> None:
    """Each is committed before the next, and those of other partitions wait."""
    partitions = with_records({0: 0, 1: 2})
    for expected in range(3):
        ((one, record),) = handed(partitions)
        assert (record.partition, record.offset) == (1, expected)
        assert one.deaths_at(record.offset) == (2 if expected == 0 else 0)
        partitions.settle(one, record, done=True)
        if expected < 2:
            assert handed(partitions) == []  # it is done, and not committed
            assert committed(partitions) == {1: "1"}
    assert handed(partitions) == []  # a death of those of the other one would not be counted
    assert committed(partitions) == {0: "1", 1: "1"}
    assert len(handed(partitions)) == 3  # together


def test_only_the_record_in_hand_counts_a_death() -> None:
    """Not the first ones of other partitions, though consumers have died there, too."""
    partitions = Partitions(BUFFER)
    for number in (0, 1):
        partitions.assigned(("t", number))
        partitions.arrived(BusRecord("t", number, 0, None, b""))
        partitions.begin(("t", number), 1)
    assert committed(partitions) == {0: "2", 1: "1"}
    ((one, record),) = handed(partitions)
    partitions.settle(one, record, done=True)
    assert handed(partitions) == []  # else the other one's death would be this one's, too
    assert committed(partitions) == {0: "0", 1: "2"}
    ((_, record),) = handed(partitions)
    assert record.partition == 1


@given(st.lists(st.integers(0, 4), min_size=3, max_size=3), st.randoms(use_true_random=False))
def test_only_a_deadly_record_is_found_deadly(each: list[int], random: Random) -> None:
    """Wherever it is, in whatever order records are handled, and however late a commit is known."""
    every = [("t", number, offset) for number in range(3) for offset in range(each[number])]
    group = Group(each, random, deadly=random.choice(every) if every else None)
    deaths = 0
    while deaths <= DEADLY + 1 and not group.live():
        deaths += 1
    assert group.found == ({group.deadly} if every else set())
    assert group.handled == {*every} - group.found
    assert deaths in ((DEADLY, DEADLY + 1) if every else (0,))  # more, if others were before it


class Group:
    """A topic of three partitions with so many records, and consumers that live one by one."""

    def __init__(self, each: list[int], random: Random, deadly: Record | None) -> None:
        self.ends = {("t", number): end for number, end in enumerate(each)}
        self.random, self.deadly = random, deadly
        self.broker: dict[Place, Progress] = {}
        self.handled, self.found = set[Record](), set[Record]()

    def live(self) -> bool:
        """One consumer, until all is done or until it dies; whether it lived."""
        partitions, in_hand = self.begun(), list[tuple[Partition, BusRecord]]()
        while in_hand or self.is_left(partitions):
            if self.random.random() < (0.5 if partitions.wait_for_commit else 0.2):
                self.commit(partitions)
            if taken := partitions.next():
                in_hand.append(taken)
            if in_hand and self.random.random() < 0.5:
                one, record = in_hand.pop(self.random.randrange(len(in_hand)))
                if not self.survives(one, record):
                    return False
                partitions.settle(one, record, done=True)
        return True

    def begun(self) -> Partitions:
        partitions = Partitions(BUFFER)
        for place, end in self.ends.items():
            done, mark = self.broker.get(place, (0, "0"))
            partitions.assigned(place)
            for offset in range(done, end):
                partitions.arrived(BusRecord(*place, offset, None, b""))
            if done < end:
                partitions.begin(place, int(mark))
        return partitions

    def is_left(self, partitions: Partitions) -> bool:
        left = partitions.left([*self.ends])
        return any(done < self.ends[place] for place, (done, _) in left.items())

    def commit(self, partitions: Partitions) -> None:
        progress = partitions.progress()
        self.broker.update(progress)
        if self.random.random() < 0.7:  # else the consumer does not know it yet
            partitions.committed(progress)

    def survives(self, one: Partition, record: BusRecord) -> bool:
        name = record.topic, record.partition, record.offset
        if one.deaths_at(record.offset) >= DEADLY:
            self.found.add(name)
        elif name == self.deadly:
            return False
        else:
            self.handled.add(name)
        return True


def test_a_partition_without_records_holds_up_no_other() -> None:
    """It may have more to hand out alone, but nobody knows when they come."""
    partitions = with_records({0: 0, 1: 1}, each=1)
    ((one, record),) = handed(partitions)
    partitions.settle(one, record, done=True)
    for offset in (1, 2):
        partitions.arrived(BusRecord("t", 0, offset, None, b""))
    assert committed(partitions) == {0: "1", 1: "1"}
    assert [record.partition for _, record in handed(partitions)] == [0, 0, 0]


def test_one_that_leaves_in_order_has_not_died() -> None:
    """Its mark is that of those before it."""
    partitions = with_records({0: 2, 1: 0})
    left = partitions.left([("t", 0), ("t", 1)])
    assert left == {("t", 0): (0, "2"), ("t", 1): (0, "0")}
