"""The pages can be followed: every command that they show is run, and prints what they show."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shop.e2e.cli import environment, running
from tests.shop.e2e.pages import Example, Reader, examples, pages


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Somebody who has just typed ``make run``, and follows one page after the other."""
    home = tmp_path_factory.mktemp("pages") / "home"
    with running(home) as service:
        service.wait_for_welcome()
        yield Reader(environment(home, {}), service.url)


@pytest.mark.parametrize("page", pages().values(), ids=pages().keys())
def test_a_page_can_be_followed(page: Path, reader: Reader) -> None:
    """The commands of a page, typed in their order, print what the page shows."""
    for example in examples(page):
        reader.follow(example)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("", "anything\nat all\n"),
        ("one\ntwo\n", "one\ntwo\n"),
        ("sku  on hand\n", "sku     on hand   \n"),
        ("at … by api\n", "at 12:00 by api\n"),
        ("one\n…\nfour\n", "one\ntwo\nthree\nfour\n"),
        ("one\n…\n", "one\n"),
    ],
)
def test_what_a_page_shows_stands_for_what_is_printed(shown: str, printed: str) -> None:
    """Spaces are as many as they are, and an ellipsis stands for any text or any lines."""
    assert Example("", "", shown).is_answered_by(printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("one\n", ""),
        ("one\n", "one\ntwo\n"),
        ("two\n", "one\ntwo\n"),
        ("on hand 1\n", "on hand 12\n"),
        ("one\n…\nfour\n", "one\ntwo\n"),
        ("on hand\n", "onhand\n"),
    ],
)
def test_other_output_is_not_what_a_page_shows(shown: str, printed: str) -> None:
    """A line more, a line less, or another text is noticed."""
    assert not Example("", "", shown).is_answered_by(printed)
