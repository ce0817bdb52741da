"""Draw docs/report_light.png and docs/report_dark.png: the report of a run over phantoms, in a browser.

    python -m docs.report_at_work

Needs Debian's package chromium. The phantoms are ours, since no third-party picture is kept in the repository.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from playwright.sync_api import Page, ViewportSize, sync_playwright

from app.cli import main as swinlite
from docs.at_work import loose_boxes, phantom

NOISE = {"Calm": 9.0, "Grainy": 24.0}
PICTURES = 10  # of each noise
SLICES = 15
WITHOUT_TIMES = "#cases tr > :last-child, #viewer-facts { display: none; }"  # they are those of one machine
WINDOW: ViewportSize = {"width": 1200, "height": 840}


def write_pictures(folder: Path) -> None:
    """Phantoms whose organs shrink from one to the next."""
    for name, noise in NOISE.items():
        for i in range(PICTURES):
            picture, truth = phantom(i, noise, 1 - 0.07 * i)
            file = folder / f"2DBox_{name}_{i + 1:04}.npz"
            np.savez_compressed(file, imgs=picture, gts=truth, boxes=loose_boxes(truth))


def write_volume(folder: Path, name: str) -> None:
    """A phantom whose organs are ellipsoids, two pixels of a slice taken together."""
    heights = np.linspace(-0.93, 0.93, SLICES)
    slices = [phantom(z, NOISE[name], float(np.sqrt(1 - height**2))) for z, height in enumerate(heights)]
    volume, truth = (np.stack(arrays)[:, ::2, ::2] for arrays in zip(*slices, strict=True))
    x0, y0, x1, y1 = loose_boxes(truth[SLICES // 2]).T
    boxes = np.stack([x0, y0, 0 * x0, x1, y1, 0 * x0 + SLICES - 1], axis=1)
    file = folder / f"3DBox_{name}_0001.npz"
    np.savez_compressed(file, imgs=volume, gts=truth, boxes=boxes, spacing=np.array([5.0, 1.5, 1.5]))


def photograph(page: Page) -> None:
    """The worst picture beside the sorted table, then a slice of a volume in the dark."""
    folder, title = Path(__file__).parent, page.locator("#cases-title")
    page.add_style_tag(content=WITHOUT_TIMES)
    page.get_by_role("button", name="DSC", exact=True).click()
    page.locator("#cases tbody button").first.click()
    title.evaluate("title => title.scrollIntoView()")
    page.screenshot(path=folder / "report_light.png")
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("button", name="3DBox_Calm_0001", exact=True).click()
    page.locator("#slice").fill("7")
    title.evaluate("title => title.scrollIntoView()")
    page.screenshot(path=folder / "report_dark.png")


def main() -> None:
    """Segment the phantoms, report, and photograph the page."""
    with TemporaryDirectory() as scratch, sync_playwright() as driver:
        cases, outputs = Path(scratch) / "cases", Path(scratch) / "phantoms"
        cases.mkdir()
        write_pictures(cases)
        for name in NOISE:
            write_volume(cases, name)
        swinlite(["predict", "-i", str(cases), "-o", str(outputs), "--timing", str(outputs / "timing.csv")])
        swinlite(["report", str(outputs)])
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport=WINDOW, color_scheme="light")
        page.goto((outputs / "report.html").as_uri())
        photograph(page)
        browser.close()


if __name__ == "__main__":
    main()
