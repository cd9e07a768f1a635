"""A page of the documentation has what its service has."""

import re
from pathlib import Path

import pytest

from tests.code_names import ROOT
from tests.template.markers import Piece, pieces
from tests.template.mentions import Mentions
from tests.template.pages import OF_CHOICES, is_page, with_conditions
from tests.template.torn import torn
from tests.template.tree import Entry

FILES = {
    "infrastructure/kafka/client.py": {"kafka"},
    "infrastructure/s3/client.py": {"s3"},
    "docs/how-to/kafka.md": {"kafka"},
    "domain/decider.py": set[str](),
}
PLAIN = frozenset({"eventstoredb", "postgres", "postgres_views"})
WITH_KAFKA = PLAIN | {"kafka", "bus"}


def _page(text: str, path: str = "docs/page.md") -> Entry:
    known = {
        name: Entry(name, Path(name), frozenset(conditions)) for name, conditions in FILES.items()
    }
    page = Entry(path, Path(path), frozenset(), [Piece(text)])
    return with_conditions(page, Mentions({**known, path: page}))


def _seen(text: str, chosen: frozenset[str]) -> str:
    return "".join(piece.text for piece in _page(text).parts if piece.stands(chosen))


def test_the_page_on_other_answers_names_them_in_every_service() -> None:
    """It is read by those who do not have what they look for."""
    page = Entry(
        OF_CHOICES, ROOT / OF_CHOICES, frozenset(), [Piece((ROOT / OF_CHOICES).read_text())]
    )
    assert not is_page(page)


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("Begins. Kafka comes next. It ends.\n", "Begins. It ends.\n"),
        ("See [it](../infrastructure/kafka/client.py). Then go.\n", "Then go.\n"),
        ("See [more](how-to/kafka.md) there.\n", "See more there.\n"),
        ("- one\n- on Kafka,\n  which is a bus\n- two\n", "- one\n- two\n"),
        ("- Kafka. It is quick.\n- two\n", "- two\n"),
        ("- [this](how-to/kafka.md): how\n- two\n", "- two\n"),
        ("- **Amends**: [0007](how-to/kafka.md): how\n- two\n", "- two\n"),
        ("A.\nKafka.\n\nb\n", "A.\n\nb\n"),
        ("Kafka.\nA. Kafka.\nB.\n", "A.\nB.\n"),
        ("- A.\n  Kafka.\n- b\n", "- A.\n- b\n"),
        ("- A.\n  See [more](how-to/kafka.md).\n", "- A.\n  See more.\n"),
        ("- **Code**: [it](../infrastructure/kafka/client.py).\n- b\n", "- b\n"),
        ("1. One.\n2. Two with Kafka.\n", "1. One.\n"),
        ("| a | b |\n|---|---|\n| Kafka | 1 |\n| x | 2 |\n", "| a | b |\n|---|---|\n| x | 2 |\n"),
        ("| a | Kafka |\n|---|---|\n| x | 1 |\n", "| a |\n|---|\n| x |\n"),
        ("# T\n\n## On Kafka\n\nSome text.\n\n## Rest\n\nb\n", "# T\n\n## Rest\n\nb\n"),
        ("# T\n\n## Both\n\nKafka is one.\n\n## Rest\n\nb\n", "# T\n\n## Rest\n\nb\n"),
        ("```sh\nmake run\nHEADWATER_BUS=kafka make run\n```\n", "```sh\nmake run\n```\n"),
        ("<!-- from infrastructure/kafka/client.py -->\n```python\na = 1\n```\nb\n", "b\n"),
        ("In `infrastructure/kafka/client.py`. Not here.\n", "Not here.\n"),
    ],
)
def test_what_shows_a_feature_goes_without_it(text: str, without: str) -> None:
    """A sentence, an item, a row, a column, a section, a line or a block of code."""
    assert _seen(text, PLAIN) == without
    assert _seen(text, WITH_KAFKA) == text


def test_a_word_may_be_on_two_lines() -> None:
    """A page is wrapped wherever a line is full."""
    assert _seen("Begins. So does the\n[console](console.md).\n", PLAIN) == "Begins.\n"


def test_a_column_goes_with_the_marker_of_its_heading() -> None:
    """Where its word says less: PostgreSQL has the views, and another store the events."""
    head = "| a | <!-- only: kafka -->b<!-- end: kafka --> | c |\n|---|---|---|\n"
    text = f"{head}| 1 | 2 | 3 |\n"
    page = Entry("docs/page.md", Path("docs/page.md"), frozenset(), pieces(text, "docs/page.md"))
    parts = with_conditions(page, Mentions({})).parts
    left = "".join(piece.text for piece in parts if piece.stands(PLAIN))
    assert left == "| a | c |\n|---|---|\n| 1 | 3 |\n"


def test_a_command_goes_with_its_target() -> None:
    """A page shows a target of `make` where the Makefile has it."""
    text = "```sh\nmake run\nmake conformance  # all of it\n```\nRun `make bench`. Look.\n"
    assert _seen(text, frozenset({"postgres"})) == "```sh\nmake run\n```\nLook.\n"
    assert _seen(text, frozenset({"eventstoredb", "embedded"})) == text


def test_words_with_a_marker_take_nothing_else_with_them() -> None:
    """The sentence around them stays, as its author wrote it."""
    text = "Kept<!-- only: kafka --> on Kafka<!-- end: kafka -->. Next.\n"
    page = Entry("docs/page.md", Path("docs/page.md"), frozenset(), pieces(text, "docs/page.md"))
    parts = with_conditions(page, Mentions({})).parts
    assert "".join(piece.text for piece in parts if piece.stands(PLAIN)) == "Kept. Next.\n"


def test_what_compares_alternatives_stays() -> None:
    """Its words belong to none of them alone: markers say what becomes of it."""
    text = "EventStoreDB and PostgreSQL both keep order.\n"
    assert _seen(text, PLAIN) == text


def test_a_page_goes_with_its_title_or_with_all_that_is_in_it() -> None:
    """Nothing remains of it but its name otherwise."""
    assert _page("# Events on Kafka\n\nSome text.\n").conditions == {"kafka"}
    assert _page("# Page\n\nKafka is one.\n").conditions == {"kafka"}
    either = _page("# Page\n\nKafka is one.\n\nS3 is two.\n").conditions
    assert either == {"kafka or s3"}
    assert _page("# Page\n\nKafka is one.\n\nText.\n").conditions == frozenset()


def test_a_decision_goes_as_a_whole() -> None:
    """When it shows code of what is not there; else a sentence goes, and its parts are kept."""
    of_kafka = "# 1. Things\n\n**Context.** See [it](../../infrastructure/kafka/client.py).\n"
    assert _page(of_kafka, "docs/adr/0001-things.md").conditions == {"kafka"}
    history = "# 1. Things\n\n**Context.** Kafka was there. [Code](../../domain/decider.py).\n"
    page = _page(history, "docs/adr/0001-things.md")
    assert page.conditions == frozenset()
    without = "".join(piece.text for piece in page.parts if piece.stands(PLAIN))
    assert without == history.replace("Kafka was there. ", "")


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("Do this: it is Kafka. End.\n", "End.\n"),
        ("Do this: `headwater run`. Kafka. End.\n", "Do this: `headwater run`. End.\n"),
        ("A. These are there:\n\n- Kafka\n- Kafka, too\n\nEnd.\n", "A.\n\nEnd.\n"),
        ("A. Type this:\n\n```sh\nHEADWATER_BUS=kafka make run\n```\n\nEnd.\n", "A.\n\nEnd.\n"),
        ("- **A title.** It is Kafka's.\n- b\n", "- b\n"),
        ("- **Measured**: how fast. Kafka.\n", "- **Measured**: how fast.\n"),
    ],
)
def test_what_only_leads_to_a_feature_goes_with_it(text: str, without: str) -> None:
    """A colon goes with what follows it, and a title with what it is the title of."""
    assert _seen(text, PLAIN) == without
    assert _seen(text, WITH_KAFKA) == text


def test_a_colon_leads_to_what_has_a_marker() -> None:
    """Whether its author or the script has said so."""
    text = "A. There is:\n\n<!-- only: kafka -->\n- it\n<!-- end: kafka -->\n\nEnd.\n"
    page = Entry("docs/page.md", Path("docs/page.md"), frozenset(), pieces(text, "docs/page.md"))
    parts = with_conditions(page, Mentions({})).parts
    left = "".join(piece.text for piece in parts if piece.stands(PLAIN))
    assert re.sub("\n+", "\n", left) == "A.\nEnd.\n"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("# T\n\n## A\n<!-- only: s3 -->\n\nb\n<!-- end: s3 -->\n\n## C\n\nd\n", "nothing under"),
        ("| a |\n|---|\n<!-- only: s3 -->\n| b |\n<!-- end: s3 -->\n", "a table without rows"),
        ("So:\n\n<!-- only: s3 -->\n- b\n<!-- end: s3 -->\n\nEnd.\n", "nothing behind 'So:'"),
        ("A, and<!-- only: s3 --> b<!-- end: s3 -->.\n", "torn at 'A, and.'"),
        ("<!-- only: s3 -->A <!-- end: s3 -->store.\n", "begins with 'store.'"),
        ("A. <!-- only: s3 -->One. <!-- end: s3 -->It runs.\n", "leans on another sentence: 'It r"),
    ],
)
def test_what_is_left_of_a_page_is_looked_at(text: str, what: str) -> None:
    """What pruning has torn is found, with the features of a service that has it."""
    page = Entry("docs/page.md", Path("docs/page.md"), frozenset(), pieces(text, "docs/page.md"))
    (found,) = torn([page])
    assert what in found
    assert found.startswith("docs/page.md: ")
    assert found.endswith(", with nothing")
