"""The pages that show the shop are true, and are looked at."""

import re

from tests.documentation import PAGES, ROOT, commands_in, in_code, links, shown_code


def test_every_pattern_names_its_code_and_its_proof() -> None:
    """Each row of the index has a page, code and a test; so has each pattern of the read side."""
    index = (ROOT / "docs/patterns/README.md").read_text()
    for row in re.findall(r"^\| (?!pattern)(.+) \|$", index, re.MULTILINE):
        pattern, page, code, test = row.split(" | ")
        for cell, needed in ((page, ".md"), (code, ".py)"), (test, "/tests/")):
            assert needed in cell, pattern

    for section in (ROOT / "docs/patterns/read-side.md").read_text().split("\n## ")[1:]:
        assert re.search(r"\*\*Tests\*\*:[^*]+/tests/", section), section.splitlines()[0]
        assert "**When not**" in section, section.splitlines()[0]


def test_the_documentation_is_found() -> None:
    """The checks above look at pages that exist, at links and at shown code."""
    assert len(PAGES) > 10
    assert sum(len(links(page)) for page in PAGES) > 50
    assert sum(len(shown_code(page)) for page in PAGES) > 5
    assert sum(len(commands_in(line)) for page in PAGES for line in in_code(page)) > 50
