"""Markers in the source are read as what they say, and refused with their place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.template.conditions import InvalidCondition, as_jinja, holds
from tests.template.features import FEATURES
from tests.template.markers import InvalidMarker, Piece, merged, pieces

CONDITIONS = st.recursive(
    st.sampled_from(sorted(FEATURES)),
    lambda inner: (
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join).map("({})".format)
        | inner.map("not {}".format)
    ),
    max_leaves=4,
)
LINE = st.text("abc =(),\"#'", max_size=12)
TREES = st.recursive(
    LINE.map(lambda line: (line,)),
    lambda inner: st.tuples(CONDITIONS, st.lists(inner, max_size=3)),
    max_leaves=8,
)


def _marked(tree: object) -> str:
    match tree:
        case (str(condition), [*inner]):
            between = "".join(map(_marked, inner))
            return f"  # only: {condition}\n{between}  # end: {condition}\n"
        case (line,):
            return f"{line}\n"
    raise AssertionError(tree)


def _kept(tree: object, chosen: frozenset[str]) -> str:
    match tree:
        case (str(condition), [*inner]):
            return "".join(_kept(one, chosen) for one in inner) if holds(condition, chosen) else ""
        case (line,):
            return f"{line}\n"
    raise AssertionError(tree)


@given(TREES, st.frozensets(st.sampled_from(sorted(FEATURES))))
def test_a_service_has_the_lines_whose_conditions_hold(
    tree: object, chosen: frozenset[str]
) -> None:
    """However blocks are nested, a line stays where all conditions around it hold."""
    read = pieces(_marked(tree), "file.py")
    assert "".join(piece.text for piece in read if piece.stands(chosen)) == _kept(tree, chosen)


@given(TREES)
def test_nothing_but_the_markers_is_taken_out(tree: object) -> None:
    """All pieces together are the lines without markers, and neighbours differ."""
    read = pieces(_marked(tree), "file.py")
    lines = _marked(tree).splitlines(keepends=True)
    assert "".join(piece.text for piece in read) == "".join(
        line for line in lines if not line.startswith(("  # only:", "  # end:"))
    )
    assert read == merged(read)


@given(CONDITIONS, st.frozensets(st.sampled_from(sorted(FEATURES))))
def test_the_template_weighs_a_condition_as_the_script_does(
    condition: str, chosen: frozenset[str]
) -> None:
    """What is written for copier is true for the same features."""
    written = as_jinja(condition)
    assert eval(written, {f"with_{one}": one in chosen for one in FEATURES}) == holds(
        condition, chosen
    )


def test_a_marker_behind_a_line_is_for_that_line() -> None:
    """The line keeps its other comment, and loses the marker with the blanks before it."""
    read = pieces("a\nb = 1  # why  # only: kafka\nc\n", "file.py")
    assert read == [Piece("a\n"), Piece("b = 1  # why\n", ("kafka",)), Piece("c\n")]


def test_markers_within_a_line_are_for_its_words() -> None:
    """In Markdown."""
    text = "on PostgreSQL<!-- only: kafka -->, and over Kafka<!-- end: kafka -->.\n"
    assert pieces(text, "page.md") == [
        Piece("on PostgreSQL"),
        Piece(", and over Kafka", ("kafka",)),
        Piece(".\n"),
    ]
    row = pieces("| a | <!-- only: s3 -->\n| b |\n", "page.md")
    assert row == [Piece("| a |\n", ("s3",)), Piece("| b |\n")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a\n# only: kafak\n", "file.py:2: 'kafak' is not a feature: it is one of eventstoredb, "),
        ("# only: kafka\na\n", "file.py:1: the block is not closed: add a line `end: kafka`"),
        ("# only: kafka\n# end: s3\n", "file.py:2: `end: s3` closes nothing: the open block is "),
        ("a\n\n# end: s3\n", "file.py:3: `end: s3` closes nothing: no block is open"),
        ("a  # only: kafka and\n", "file.py:1: 'kafka and' is not a condition: write it like "),
        ("a  # only: print(kafka)\n", "file.py:1: 'print(kafka)' has more in it than features"),
        ("a  # only: kafka == s3\n", "file.py:1: 'kafka == s3' has more in it than features"),
        ("// only: kafka\n", "file.py:1: a marker reads `# only: kafka`"),
        ("a # end: kafka\n", "file.py:1: `end:` stands alone in its line"),
        ("a<!-- only: s3 -->b<!-- end: kafka -->\n", "file.py:1: `end: kafka` closes nothing"),
        (
            "<!-- only: s3 -->b<!-- only: s3 -->\n",
            "file.py:1: `only: s3` is not closed in its line",
        ),
    ],
)
def test_what_is_no_marker_is_refused_with_its_place(text: str, says: str) -> None:
    """An unknown feature, an open block, and a marker that would stay in a service."""
    with pytest.raises(InvalidMarker) as refused:
        pieces(text, "file.py")
    assert str(refused.value).startswith(says)


def test_a_condition_that_is_none_is_refused() -> None:
    """With the name that is wrong."""
    with pytest.raises(InvalidCondition, match="'rabbit' is not a feature"):
        as_jinja("kafka or rabbit")
