"""The page in a real browser: opened from disk, without a network, by mouse and by keys."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from app.cli import main
from tests.report.conftest import EVIL, Run

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser; it is not installed")


@pytest.fixture
def page(run: Run) -> Iterator[Page]:
    """The report of the run; whatever the page complains of or asks for is a failure."""
    if CHROMIUM is None:
        pytest.skip("no chromium to look at the page with; Debian has it as the package chromium")
    assert main(["report", str(run.outputs)]) == 0
    faults: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM)
        page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
        page.set_default_timeout(5000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text))
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        page.on(
            "request",
            lambda request: None if request.url.startswith(("file:", "data:")) else faults.append(request.url),
        )
        page.goto((run.outputs / "report.html").as_uri())
        yield page
        browser.close()
    assert faults == []


def test_a_reader_sorts_moves_through_slices_and_hides_layers(page: Page) -> None:
    names = page.locator("#cases tbody button")
    name, picture = page.locator("#viewer-name"), page.locator("#picture img")
    assert names.all_inner_texts() == ["2DBox_US_0002", EVIL, "3DBox_CT_0003"]
    assert name.inner_text() == "2DBox_US_0002"

    page.get_by_role("button", name="DSC", exact=True).click()  # 1, 5/6 and 2/3 in order of names
    assert names.all_inner_texts() == ["3DBox_CT_0003", EVIL, "2DBox_US_0002"]
    assert page.locator("th[aria-sort=ascending]").inner_text().strip() == "DSC"
    assert page.locator("#gallery button").first.inner_text().startswith("3DBox_CT_0003")

    names.first.click()
    page.locator("#slice").fill("3")
    assert page.locator("#slice-name").inner_text() == "4 (1 to 4)"
    assert picture.get_attribute("alt") == "3DBox_CT_0003, slice 4; drawn on it: prediction, truth, box"
    page.locator("#viewer-name").click()
    page.keyboard.press("ArrowDown")
    assert page.locator("#slice-name").inner_text() == "3 (1 to 4)"
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 64

    truth = page.locator("#picture path.truth.object-0")
    assert truth.is_visible()
    page.keyboard.press("t")
    assert truth.is_hidden()
    page.keyboard.press("ArrowRight")
    assert name.inner_text() == EVIL
    assert page.locator("#cases tr[aria-current] button").inner_text() == EVIL


def test_theme_help_and_narrow_screens(page: Page) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(colour)
    page.get_by_role("button", name="Theme").click()
    assert page.evaluate(colour) != light
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").is_hidden()
    page.set_viewport_size({"width": 380, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 380
