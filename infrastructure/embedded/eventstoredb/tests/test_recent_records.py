"""The newest records, in memory: whatever they answer, the database would answer the same."""

from hypothesis import given
from hypothesis import strategies as st

from embedded_eventstoredb.recent_records import RecentRecords
from embedded_eventstoredb.storage import Record, Stream

_NAMES = ("order-1", "order-2", "$ce-order")
_commits = st.lists(
    st.lists(st.tuples(st.sampled_from(_NAMES), st.integers(0, 30)), min_size=1, max_size=4),
    max_size=12,
)


class Log:
    """All records and streams, and the newest ones as a node would keep them."""

    def __init__(self, commits: list[list[tuple[str, int]]], *, before: int) -> None:
        """``before`` commits are made before the node starts."""
        self.records: list[Record] = []
        self.streams: dict[str, Stream] = {}
        self.recent = RecentRecords(-1, most=8, most_bytes=100)
        for number, commit in enumerate(commits):
            if number == before:
                self.recent = RecentRecords(self.end, most=8, most_bytes=100)
            self._commit(commit)

    @property
    def end(self) -> int:
        return self.records[-1].position if self.records else -1

    def of_stream(self, stream: Stream, version: int, *, backwards: bool) -> list[Record]:
        there = [one for one in self.records if one.stream == stream.name]
        if backwards:
            return [one for one in reversed(there) if one.version <= version]
        return [one for one in there if one.version >= version]

    def _commit(self, commit: list[tuple[str, int]]) -> None:
        records: list[Record] = []
        changed: dict[str, Stream] = {}
        for name, size in commit:
            last = self.streams.get(name, Stream(0, name))
            version, position = last.last_version + 1, self.end + 10
            one = Record(position, name, version, b"", "Noted", 1, 0, b"", b"x" * size)
            key = last.key or len(self.streams) + 1
            self.streams[name] = changed[name] = Stream(key, name, version)
            self.records.append(one)
            records.append(one)
        self.recent.add(records, changed)


@given(_commits, st.integers(0, 3), st.integers(-1, 500), st.integers(1, 9), st.booleans())
def test_pages_of_the_log(
    commits: list[list[tuple[str, int]]], before: int, after: int, limit: int, backwards: bool
) -> None:
    """A page is the beginning of what follows, and empty only where nothing follows."""
    log = Log(commits, before=before)
    if backwards:
        expected = [one for one in reversed(log.records) if one.position < after]
    else:
        expected = [one for one in log.records if one.position > after]
    page = log.recent.of_log(after, backwards=backwards, limit=limit)
    if page is not None:
        assert page == expected[: len(page)]
        assert bool(page) == bool(expected)
        assert len(page) <= limit


@given(
    _commits,
    st.integers(0, 3),
    st.sampled_from(_NAMES),
    st.integers(0, 20),
    st.integers(1, 9),
    st.booleans(),
)
def test_pages_of_a_stream(
    commits: list[list[tuple[str, int]]],
    before: int,
    name: str,
    version: int,
    limit: int,
    backwards: bool,
) -> None:
    """The same for the records of a stream, from a version on."""
    log = Log(commits, before=before)
    stream = log.streams.get(name, Stream(0, name))
    expected = log.of_stream(stream, version, backwards=backwards)
    page = log.recent.of_stream(stream, version, backwards=backwards, limit=limit)
    if page is not None:
        assert page == expected[: len(page)]
        assert bool(page) == bool(expected)
        assert len(page) <= limit


@given(_commits, st.integers(0, 3))
def test_memory_is_bounded(commits: list[list[tuple[str, int]]], before: int) -> None:
    """However much is written, few records are kept, and their places with them."""
    recent = Log(commits, before=before).recent
    kept = recent.of_log(recent._beyond, backwards=False, limit=1_000)
    assert kept is not None
    assert len(kept) == len(recent._places) <= 8
    assert sum(len(one.data) for one in kept) <= 100


def test_a_live_reader_finds_what_was_just_written() -> None:
    """After a commit its records, their places and the state of their streams are there."""
    log = Log([[("order-1", 3), ("order-1", 3)]], before=0)
    assert log.recent.of_log(-1, backwards=False, limit=9) == log.records
    assert log.recent.at("order-1", 1) == log.records[1]
    assert log.recent.stream("order-1") == Stream(1, "order-1", 1)
    assert log.recent.of_stream(Stream(1, "order-1", 1), 2, backwards=False, limit=9) == []
