"""The page in a real Chromium: a person's errands from click to answer, on a desk and on a phone."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixtures.browser import chromium
from tests.fixtures.devtools import Tab, opened_tab
from tests.fixtures.program import Program, Tracker
from tests.fixtures.served import Served, serving

pytestmark = pytest.mark.xdist_group("browser")
DESK, PHONE = (1200, 900, False), (390, 844, True)
BOTH = pytest.mark.parametrize("screen", [DESK, PHONE], ids=["desk", "phone"])


@dataclass(frozen=True)
class Desk:
    """Somebody's browser, with the page in it."""

    tab: Tab
    served: Served

    def begin(self, screen: tuple[int, int, bool], language: str = "en") -> Tab:
        """Open the printed address, as the shell shows it, in a window of this size."""
        self.tab.size(screen[0], screen[1], is_phone=screen[2])
        self.tab.language(language)
        self.tab.script(runs=True)
        self.tab.forget()
        self.tab.complaints.clear()
        self.tab.open(self.served.address)
        return self.tab


@pytest.fixture(scope="module")
def desk(
    ims_crawl: Program, ims_process: Tracker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """Everything that the stand-in has, crawled with its files, as a page in a browser."""
    program = chromium()
    add = ("trackers", "add", "ims", *ims_process.options, "--username", "kim", "--password-stdin")
    assert ims_crawl(*add, stdin="kim-secret").status == 0
    assert ims_crawl("crawl", "*", "--tracker", "ims", "--attachments").status == 0
    with (
        serving(ims_crawl.home, None, user="tester") as served,
        opened_tab(program, tmp_path_factory.mktemp("browser")) as tab,
    ):
        yield Desk(tab, served)


def is_sound(tab: Tab, name: str) -> None:
    """Nothing is wider than the screen, nothing was refused, everything that can be used has a name."""
    assert tab.overflow() == 0
    assert tab.complaints == []
    silent = [role for role, called in tab.names() if role in _USED and not called.strip()]
    assert silent == []
    if folder := os.environ.get("IMS_TEST_PICTURES"):
        tab.picture(Path(folder) / f"{name}.png")


_USED = {"link", "button", "textbox", "searchbox", "combobox", "checkbox", "heading"}


@BOTH
def test_an_issue_is_found_and_read(desk: Desk, screen: tuple[int, int, bool]) -> None:
    tab = desk.begin(screen)
    assert "token" not in tab.run("location.href")
    tab.write("ORA-01555 snapshot")  # the question has the focus
    tab.press("Enter")
    assert tab.run("document.querySelectorAll('.hits mark').length") > 0
    is_sound(tab, f"hits-{screen[0]}")
    tab.click("340012", ".hits h2 a")
    page = tab.text()
    assert "snapshot too old" in page
    assert page.index("Lee Dana") < page.index("Park Seojun", page.index("Timeline"))
    assert "Retention is a wish" in page
    is_sound(tab, f"issue-{screen[0]}")
    tab.click("340377")
    assert "Undo tablespace" in tab.text()


@BOTH
def test_a_filtered_question_is_saved_and_asked_again(desk: Desk, screen: tuple[int, int, bool]) -> None:
    tab = desk.begin(screen)
    tab.write("timeout")
    tab.click("Filters")
    tab.run("document.querySelector('[name=state]').value = 'open'")
    tab.run("document.querySelector('[name=product]').value = 'Tibero'")
    tab.click("Search", "form.search button")
    found = tab.run("[...document.querySelectorAll('.hits .number')].map((one) => one.textContent).join()")
    assert found
    is_sound(tab, f"filters-{screen[0]}")
    name = f"open timeouts {screen[0]}"
    tab.run("document.querySelector('.keep [name=name]').focus()")
    tab.write(name)
    tab.press("Enter")
    assert tab.run("location.pathname") == "/saved"
    is_sound(tab, f"saved-{screen[0]}")
    tab.click(name, ".saved a")
    again = tab.run("[...document.querySelectorAll('.hits .number')].map((one) => one.textContent).join()")
    assert again == found
    tab.click("Saved")
    tab.click(f"Forget: {name}")
    assert name not in tab.text()


@BOTH
def test_a_line_in_an_attached_file_is_found_and_shown(desk: Desk, screen: tuple[int, int, bool]) -> None:
    tab = desk.begin(screen)
    tab.open(f"{desk.served.base}?q=expired&places=attachments")
    place = tab.run("document.querySelector('.hits .about a').textContent")
    assert place.startswith("attachment ")
    tab.click(place)
    assert tab.run("document.querySelector('#here').getBoundingClientRect().top") < screen[1]
    assert "expired" in tab.run("document.querySelector('#here').innerText")
    is_sound(tab, f"file-{screen[0]}")


@BOTH
def test_an_issue_is_looked_at_as_it_was(desk: Desk, screen: tuple[int, int, bool]) -> None:
    tab = desk.begin(screen)
    tab.open(f"{desk.served.base}issue?id=340012")
    tab.run("document.querySelector('[name=at]').focus()")
    tab.write("2021-02-02")
    tab.press("Enter")
    page = tab.text()
    assert "as it was before 2021-02-03" in page
    assert "Assigned" in page
    assert "Enlarge the undo tablespace" not in page
    is_sound(tab, f"then-{screen[0]}")
    tab.click("as it is now")
    assert "Enlarge the undo tablespace" in tab.text()


@BOTH
def test_what_was_crawled_and_how_it_stands_is_seen_in_korean(
    desk: Desk, screen: tuple[int, int, bool]
) -> None:
    tab = desk.begin(screen, "ko-KR,ko;q=0.9,en;q=0.5")
    tab.click("세션")
    tab.click(tab.run("document.querySelector('tbody time').textContent"))
    page = tab.text()
    assert "완전함" in page
    is_sound(tab, f"receipt-{screen[0]}")
    tab.click("통계")
    tab.click("365일")
    assert tab.run("document.querySelectorAll('svg[role=img]').length") >= 2
    assert "집계 시각" in tab.text()
    is_sound(tab, f"figures-{screen[0]}")
    tab.click("English")
    assert "Created and closed" in tab.text()


def test_by_keys_alone(desk: Desk) -> None:
    tab = desk.begin(DESK)
    tab.open(f"{desk.served.base}?q=error")
    tab.press("j")
    tab.press("j")
    tab.press("k")
    first = tab.run("document.querySelector('.hits h2 a').textContent")
    assert tab.run("document.activeElement.textContent") == first
    tab.press("/")
    assert tab.run("document.activeElement.id") == "q"
    tab.press("j")  # typed, not obeyed
    assert tab.run("document.activeElement.id") == "q"
    tab.press("Escape")
    tab.press("j")
    tab.press("Enter")
    assert tab.run("location.pathname") == "/issue"


def test_without_scripts_everything_is_there(desk: Desk) -> None:
    tab = desk.begin(DESK)
    tab.script(runs=False)
    tab.open(f"{desk.served.base}?q=*")
    tab.click("Next page")
    tab.click("Previous page")
    tab.click("Figures")
    tab.click("Search")
    tab.script(runs=True)
    assert tab.run("location.pathname") == "/"


def test_a_session_that_is_closed_shows_nothing_by_going_back(desk: Desk) -> None:
    tab = desk.begin(DESK)
    tab.open(f"{desk.served.base}issue?id=340012")
    tab.click("End this session")
    assert "This session has ended" in tab.text()
    tab.back()
    assert "snapshot too old" not in tab.text()


@BOTH
def test_an_archive_is_searched_from_its_files(
    desk: Desk, ims_crawl: Program, tmp_path: Path, screen: tuple[int, int, bool]
) -> None:
    folder = tmp_path / "site"
    assert ims_crawl("export", "--site", str(folder), "--lang", "ja").status == 0
    tab = desk.begin(screen)
    tab.open((folder / "index.html").as_uri())
    for question, wanted in (
        ("+snapshot -nothing", "340012"),
        ("시간 초과", "344900"),
        ("接続タイムアウト", "340890"),
        ("expired", "340012"),  # in an attached file only
        ("snapsh", "340012"),
    ):
        tab.run("document.getElementById('q').focus(); document.getElementById('q').value = ''")
        tab.write(question)
        tab.press("Enter")
        deadline = time.monotonic() + 10
        while not tab.run(f"document.querySelector('.hits')?.innerText.includes('{wanted}') ?? false"):
            assert time.monotonic() < deadline, (question, tab.text())
            time.sleep(0.05)
        assert float(tab.run("document.getElementById('found').dataset.milliseconds")) < 2000
    is_sound(tab, f"site-{screen[0]}")
    tab.click("340012", ".hits h2 a")
    assert tab.run("location.protocol") == "file:"
    assert "Retention is a wish" in tab.text()
    is_sound(tab, f"site-issue-{screen[0]}")
    tab.click("340377")
    assert "Undo tablespace" in tab.text()
    tab.click("検索")
    assert tab.run("document.getElementById('q') !== null")
