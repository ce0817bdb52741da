"""Draw docs/report_light.png and docs/report_dark.png: the report of a run over phantoms, in a browser.

    python -m docs.report_at_work

Needs Debian's package chromium. The phantoms are ours, since no third-party picture is kept in the repository.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, ViewportSize, sync_playwright

from app.benchmark.phantoms import CaseKind, write_case
from app.cli import main as swinlite

OBJECTS = {"CT": 6, "Dermoscopy": 1, "Endoscopy": 1, "Fundus": 1, "MR": 4, "Microscope": 12, "US": 2, "X-Ray": 10}
PICTURES = 3  # of each modality
VOLUMES = (
    CaseKind("3DBox_CT_0001", "CT", (256, 256), 4, 16, ((1, 14), (2, 13), (3, 12), (4, 14))),
    CaseKind("3DBox_MR_0001", "MR", (256, 256), 2, 16, ((2, 13), (3, 12))),
)
WINDOW: ViewportSize = {"width": 1120, "height": 730}
WITHOUT_TIMES = "#cases tr > :last-child, #viewer-facts { display: none; }"  # they are those of one machine


def write_cases(folder: Path) -> None:
    """Phantoms of all modalities, with their truth."""
    for modality, objects in OBJECTS.items():
        for i in range(1, PICTURES + 1):
            write_case(CaseKind(f"2DBox_{modality}_{i:04}", modality, (480, 512), objects), folder)
    for volume in VOLUMES:
        write_case(volume, folder)


def photograph(page: Page) -> None:
    """The worst case beside the sorted table, then a slice of a volume in the dark."""
    folder, title = Path(__file__).parent, page.locator("#cases-title")
    page.add_style_tag(content=WITHOUT_TIMES)
    page.get_by_role("button", name="DSC", exact=True).click()
    page.locator("#cases tbody button").first.click()
    title.evaluate("title => title.scrollIntoView()")
    page.screenshot(path=folder / "report_light.png")
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("button", name=VOLUMES[0].name, exact=True).click()
    page.locator("#slice").fill("6")
    title.evaluate("title => title.scrollIntoView()")
    page.screenshot(path=folder / "report_dark.png")


def main() -> None:
    """Segment the phantoms, report, and photograph the page."""
    with TemporaryDirectory() as scratch, sync_playwright() as driver:
        cases, outputs = Path(scratch) / "cases", Path(scratch) / "phantoms"
        cases.mkdir()
        write_cases(cases)
        swinlite(["predict", "-i", str(cases), "-o", str(outputs), "--timing", str(outputs / "timing.csv")])
        swinlite(["report", str(outputs)])
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport=WINDOW, color_scheme="light")
        page.goto((outputs / "report.html").as_uri())
        photograph(page)
        browser.close()


if __name__ == "__main__":
    main()
