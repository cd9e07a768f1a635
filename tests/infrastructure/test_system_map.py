"""The map of a service as a picture, as Mermaid, and as text."""

import re
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from application.service import Service
from application.system_map import Lane, Reader, SystemMap, system_map
from infrastructure.cli.main import command_line
from infrastructure.system_map import drawing, mermaid, picture, text
from tests.sample.program import BANK
from tests.sample.service import SAMPLE

MAP = system_map(SAMPLE)
NAMES = {
    *(name for lane in MAP.lanes for name in (lane.category, *lane.commands, *lane.events)),
    *(one.name for one in MAP.readers),
}


@pytest.mark.parametrize("form", [picture, mermaid, text])
def test_each_form_has_every_name(form: object) -> None:
    """Commands, aggregates, events, readers: what is declared is drawn."""
    assert callable(form)
    printed = form(MAP)
    assert [name for name in NAMES if name not in printed] == []


def test_the_picture_has_an_arrow_for_each_thing_that_is_read() -> None:
    """One from a lane that is read as a whole, one from each single event."""
    drawn = picture(MAP)
    assert drawn.count('class="arrow whole') == sum(len(one.whole) for one in MAP.readers)
    assert drawn.count('class="arrow single') == sum(len(one.single) for one in MAP.readers)


def test_in_a_page_the_map_has_no_style_of_its_own_and_leads_to_pages() -> None:
    """A strict policy refuses styles in the page; links are those that the page gives."""
    drawn = drawing(MAP, lambda kind, name: f"/of/{kind}/{name}" if kind == "saga" else None)
    assert "style" not in drawn
    assert re.findall(r'href="(.+?)"', drawn) == ["/of/saga/money_transfer"]


def test_a_name_is_text() -> None:
    """Whatever a name holds, the picture is well-formed, and nothing of it is markup."""
    evil = '"><script>alert(1)</script>&'
    of = SystemMap(evil, (Lane(evil, (evil,), (evil,)),), (Reader("saga", evil, (evil,)),))
    ElementTree.fromstring(drawing(of, lambda *_: evil))


def test_an_empty_service_has_an_empty_map() -> None:
    """Nothing declared, nothing drawn, no error."""
    empty = system_map(Service(name="empty", categories=()))
    ElementTree.fromstring(picture(empty))
    assert mermaid(empty) == "flowchart LR\n"


def test_the_command_prints_each_form() -> None:
    """Without a server; two forms at a time are refused."""
    ran = CliRunner().invoke(command_line(BANK), ["map"])
    assert ran.stdout == text(MAP)
    ran = CliRunner().invoke(command_line(BANK), ["map", "--svg"])
    assert ran.stdout == picture(MAP)
    ran = CliRunner().invoke(command_line(BANK), ["map", "--mermaid"])
    assert ran.stdout == mermaid(MAP)
    assert CliRunner().invoke(command_line(BANK), ["map", "--svg", "--mermaid"]).exit_code == 2
