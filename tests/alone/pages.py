"""The documentation without the shop: what shows its code or its commands goes, the rest stays.

A row of a table, an item of a list or a paragraph with a title goes alone, else its section goes,
else the page. Links to what is gone become text.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tests.documentation import anchors

_ITEM: Final = re.compile(
    r"^(?:\||- )(?!.*\n\|---).*\n(?:  .*\n)*"  # no head of a table
    r"|^\*\*.*\n(?:\S.*\n)*\n?",
    re.MULTILINE,
)
_SECTION: Final = re.compile(r"^(?=## )", re.MULTILINE)
_LINK: Final = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s#]*)(?:#([^)\s]*))?\)")
_SHOWN: Final = re.compile(r"<!-- from (\S+) -->")
_COMMAND: Final = re.compile(r"(?:^|[\s/`])headwater ([a-z]+)\b(?!\.)", re.MULTILINE)
_PATH: Final = re.compile(r"`((?:domain|application|infrastructure|tests|docs)/[\w./-]+)`")
_MODULE: Final = re.compile(r"python -m (tests[\w.]+)")
_CODE: Final = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Pages:
    """The pages of a copy of the repository, whose program has these commands."""

    at: Path
    commands: Collection[str]

    def prune(self) -> None:
        """Takes what is gone out of them, and the pages of which nothing is left."""
        for drop in (self._sections, self._items, self._links):
            for page in (*self.at.glob("docs/**/*.md"), self.at / "CONTRIBUTING.md"):
                page.write_text(drop(page, page.read_text()))
                if not page.read_text():
                    page.unlink()

    def _sections(self, page: Path, text: str) -> str:
        if page.name[0].isdigit():  # a decision stays as it was made, or goes
            return "" if self._shows_what_is_gone(page, text) else text
        text = _ITEM.sub(partial(self._unless_gone, page), text)
        lead, *sections = _SECTION.split(text)
        kept = [section for section in sections if not self._shows_what_is_gone(page, section)]
        gone = self._shows_what_is_gone(page, lead) or (sections and not kept)
        return "" if gone else lead + "".join(kept)

    def _items(self, page: Path, text: str) -> str:
        """Once pages are gone, rows and items that lead to one go, too."""
        return _ITEM.sub(partial(self._unless_gone, page, pages=True), text)

    def _links(self, page: Path, text: str) -> str:
        return _LINK.sub(
            lambda link: link[0] if self._is_there(page, *link.groups()[1:]) else link[1], text
        )

    def _unless_gone(self, page: Path, item: re.Match[str], pages: bool = False) -> str:
        return "" if self._shows_what_is_gone(page, item[0], pages=pages) else item[0]

    def _shows_what_is_gone(self, page: Path, text: str, pages: bool = False) -> bool:
        files = [path for _, path, _ in _LINK.findall(text) if pages or not path.endswith(".md")]
        named = {word for code in _CODE.findall(text) for word in _COMMAND.findall(code)}
        return (
            not named <= {*self.commands}
            or not all(self._is_there(page, path) for path in files)
            or not all((self.at / path).exists() for path in self._files(text))
        )

    def _files(self, text: str) -> Iterator[str]:
        """Those that it shows, or names by their path or their module."""
        yield from _SHOWN.findall(text)
        yield from _PATH.findall(text)
        for module in _MODULE.findall(text):
            path = module.replace(".", "/")
            yield path if (self.at / path).is_dir() else f"{path}.py"

    def _is_there(self, page: Path, path: str, anchor: str | None = None) -> bool:
        if "://" in path:
            return True
        target = page.parent / path if path else page
        return target.exists() and (
            not anchor or target.suffix != ".md" or anchor in anchors(target)
        )
