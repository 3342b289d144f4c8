"""The page in a real browser: what its controls show is what the engine says, and no request leaves."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Error, Page, sync_playwright

from shapecalc import load
from shapecalc.algebra import Dim
from shapecalc.algebra.expr_text import grouped
from shapecalc.errors import ShapeError
from shapecalc.page.free import FreeModel, freed
from shapecalc.page.page_writer import gallery, page
from shapecalc.report.listing import listing_rows
from shapecalc.report.report import Report
from tests.support.page_values import report_at

pytestmark = pytest.mark.ci

NETWORKS = (
    "lenet5",
    "alexnet",
    "vgg16",
    "nin",
    "googlenet",
    "resnet50",
    "densenet121",
    "squeezenet1_0",
    "unet",
    "unet3d",
    "vit_b_16",
    "dcgan_generator",
)
SETTINGS = 50
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return Chromium: the system's own, or the one that playwright has fetched."""
    path = next((there for name in BROWSERS if (there := shutil.which(name))), None)
    with sync_playwright() as driver:
        try:
            found = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except Error as error:
            if path is not None:
                raise
            pytest.skip(f"no Chromium on this machine: {str(error).splitlines()[0]}")
        yield found
        found.close()


class Opened:
    """A page that is open, with everything that it asked for and complained of."""

    def __init__(self, browser: Browser, html: str, folder: Path, width: int = 1280) -> None:
        file = folder / "page.html"
        file.write_text(html, encoding="utf-8")
        self.page: Page = browser.new_page(viewport={"width": width, "height": 900})
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri())

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text().strip()

    def close(self) -> None:
        self.page.close()
        assert self.complaints == []
        assert len(self.requests) == 1, self.requests  # the file itself


def drawn(freedom: FreeModel, chance: random.Random) -> dict[str, int]:
    """Return other values for one or two of the controls."""
    values = {one.name: one.default for one in freedom.controls}
    for one in chance.sample(freedom.controls, 2):
        values[one.name] = chance.choice([1, one.default + 1, 2 * one.default, 3 * one.default + 5, 32])
    return values


def asked(freedom: FreeModel, values: dict[str, int]) -> Report | ShapeError:
    try:
        return report_at(freedom, values)
    except ShapeError as error:
        return error


CELLS = """rows.filter((row) => row.node !== null && row.output !== null)
    .map((row) => [NETWORK.paths[row.node], row.cells[1].textContent])"""
"""What stands in the column of outputs, for every layer that has a row."""


def shown_shape(shape: Sequence[Dim]) -> str:
    return " × ".join(map(grouped, shape))


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", NETWORKS)
def test_the_controls_show_what_the_engine_says(browser: Browser, tmp_path: Path, name: str) -> None:
    model = load(name)
    freedom, chance = freed(model, {}), random.Random(name)
    opened = Opened(browser, page(model, picture=model.draw().svg()), tmp_path)
    shown = {one.name: one.default for one in freedom.controls}
    found = {"Legal.": 0, "Not legal.": 0, "Not known.": 0}
    for values in [shown, *(drawn(freedom, chance) for _ in range(SETTINGS))]:
        for control, n in values.items():
            if n != shown[control]:
                opened.page.fill(f"#control-{control}", str(n))
        shown = values
        said = opened.text("#status strong")
        found[said] += 1
        if said == "Not known.":
            continue
        report = asked(freedom, values)
        if isinstance(report, ShapeError):
            assert said == "Not legal.", values
            assert opened.text("#status code") == report.path
            assert opened.text("#total-macs") == "–"
            continue
        assert said == "Legal.", values
        assert opened.text("#total-params") == grouped(report.params)
        assert opened.text("#total-macs") == grouped(report.macs)
        outputs = {key: shown_shape(shape) for key, shape in report.outputs.items()}
        several = [f"{key} {shape}" for key, shape in outputs.items()]
        assert opened.text("#total-output") == (
            "; ".join(several) if several[1:] else shown_shape(report.output)
        )
        cells = opened.page.evaluate(CELLS)
        assert dict(cells) == {path: shown_shape(report[path].output) for path, _ in cells}, values
    opened.close()
    assert found["Legal."] >= SETTINGS // 5, found
    assert found["Not known."] <= SETTINGS // 10, found


def test_numbers_beyond_doubles_are_shown_whole(browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, page(load("lenet5")), tmp_path)
    for name, n in (("H", 1_000_003), ("W", 1_000_003), ("batch", 101)):
        opened.page.fill(f"#control-{name}", str(n))
    macs = load("lenet5").analyze(H=1_000_003, W=1_000_003, batch=101).macs
    assert isinstance(macs, int)
    assert opened.text("#total-macs") == grouped(macs)
    opened.page.fill("#control-batch", str(10**5 + 3))
    macs = load("lenet5").analyze(H=1_000_003, W=1_000_003, batch=10**5 + 3).macs
    assert isinstance(macs, int)
    assert macs > 2**53
    assert int(float(macs)) != macs  # a page that reckoned with doubles would be wrong here
    assert opened.text("#total-macs") == grouped(macs)
    opened.close()


def test_an_illegal_size_is_told_and_the_nearest_is_taken_with_the_keyboard(
    browser: Browser, tmp_path: Path
) -> None:
    opened = Opened(browser, page(load("unet")), tmp_path)
    opened.page.fill("#control-H", "570")
    assert opened.text("#status code") == "up4.concat"
    assert opened.text(".reason").startswith("concat: branch 2 is 1×512×54×56 but branch 1 is 1×512×55×56")
    assert opened.page.locator("tr.fails:visible").count() > 0
    offers = opened.page.locator(".offers button")
    assert offers.all_inner_texts() == ["H = 556, W = 572", "H = 572, W = 572"]
    offers.nth(0).focus()
    opened.page.keyboard.press("Enter")
    assert opened.page.input_value("#control-H") == "556"
    assert opened.text("#status strong") == "Legal."
    opened.page.locator("#control-H").focus()
    opened.page.keyboard.press("ArrowUp")
    assert opened.page.input_value("#control-H") == "557"
    assert opened.text("#status strong") == "Not legal."
    opened.close()


def test_weights_that_exist_are_spoken_of(browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, page(load("lenet5")), tmp_path)
    opened.page.fill("#control-H", "40")
    assert opened.text("#status strong") == "Legal."
    assert "do not accept this size: c5 needs" in opened.text(".built")
    opened.page.fill("#control-H", "33")
    assert opened.text(".built") == "Weights made for H = 32, W = 32 accept this size too."
    opened.close()


def test_parts_fold_and_layers_derive_with_the_keyboard(browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, page(load("resnet50")), tmp_path)
    stem = opened.page.get_by_role("button", name="stem")
    assert stem.get_attribute("aria-expanded") == "false"
    before = opened.page.locator("#rows tr:visible").count()
    stem.focus()
    opened.page.keyboard.press("Enter")
    assert stem.get_attribute("aria-expanded") == "true"
    assert opened.page.locator("#rows tr:visible").count() > before
    layer = opened.page.locator("button.layer:visible").first
    layer.focus()
    opened.page.keyboard.press("Space")
    assert layer.get_attribute("aria-expanded") == "true"
    assert "⌊(224 + 2·3 - 7)/2⌋ + 1 = 112" in opened.text(".derivation")
    opened.page.fill("#control-H", "256")
    assert "⌊(256 + 2·3 - 7)/2⌋ + 1 = 128" in opened.text(".derivation")
    opened.page.keyboard.press("Tab")
    opened.page.click("#fold")
    assert opened.page.locator(".derivation:visible").count() == 0
    opened.page.click("#unfold")
    assert opened.page.locator("#rows tr:visible").count() == opened.page.locator("#rows tr").count()
    opened.close()


def test_what_is_no_number_changes_nothing_and_is_told(browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, page(load("lenet5")), tmp_path)
    for text in ("", "0", "-3", "1.5", "1e3", "H", "99999999999999999999"):
        opened.page.fill("#control-H", text)
        assert opened.page.get_attribute("#control-H", "aria-invalid") == "true"
        assert opened.text("#control-H-error") == "an integer from 1 to 10^18"
        assert opened.text("#total-macs") == "416,520"
    opened.page.click("#reset")
    assert opened.page.input_value("#control-H") == "32"
    assert opened.page.get_attribute("#control-H", "aria-invalid") == "false"
    opened.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_no_wider_than_the_window_and_quick(browser: Browser, tmp_path: Path, width: int) -> None:
    opened = Opened(browser, page(load("resnet50")), tmp_path, width)
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width
    timed = (
        "const t = performance.now(); for (let i = 0; i < 10; i++) update(); return performance.now() - t;"
    )
    assert opened.page.evaluate(f"(() => {{ {timed} }})()") / 10 < 50
    opened.close()


@pytest.mark.parametrize("name", ["vgg16", "googlenet"])
def test_the_table_shows_every_number_on_a_telephone(browser: Browser, tmp_path: Path, name: str) -> None:
    opened = Opened(browser, page(load(name)), tmp_path, 390)
    opened.page.click("#unfold")
    rights = "[...document.querySelectorAll('td.macs')].map((cell) => cell.getBoundingClientRect().right)"
    assert max(opened.page.evaluate(rights)) <= 390
    scrolled = "(() => { const box = document.querySelector('.scroll'); return box.scrollWidth - box.clientWidth; })()"
    assert opened.page.evaluate(scrolled) == 0
    opened.close()


def test_the_picture_is_marked_where_the_controls_have_moved(browser: Browser, tmp_path: Path) -> None:
    model = load("lenet5")
    opened = Opened(browser, page(model, picture=model.draw(style="volumes").svg()), tmp_path)
    assert opened.text("summary >> text=Picture").endswith("(lenet5) on 1x32x32")
    assert opened.page.get_attribute("#picture", "class") in (None, "")
    opened.page.fill("#control-H", "33")
    assert opened.page.get_attribute("#picture", "class") == "moved"
    opened.page.click("#reset")
    assert opened.page.get_attribute("#picture", "class") == ""
    opened.close()


def test_every_control_and_button_has_a_name(browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, page(load("vit_b_16")), tmp_path)
    roles: tuple[Literal["textbox", "slider", "button"], ...] = ("textbox", "slider", "button")
    for role in roles:
        found = opened.page.get_by_role(role)
        snapshot = [one.aria_snapshot() for one in found.all() if one.is_visible()]
        assert snapshot
        assert [one for one in snapshot if '"' not in one] == []
    opened.close()


def test_a_request_would_be_refused(browser: Browser, tmp_path: Path) -> None:
    """The policy holds: a script that is not the page's own, an image and a fetch are all blocked."""
    opened = Opened(browser, page(load("lenet5")), tmp_path)
    fetched = opened.page.evaluate("fetch('data:text/plain,x').then(() => 'sent', () => 'blocked')")
    assert fetched == "blocked"
    ran = "(() => { const s = document.createElement('script'); s.textContent = 'window.foreign = 1';"
    assert (
        opened.page.evaluate(f"{ran} document.body.append(s); return window.foreign ?? 'blocked'; }})()")
        == "blocked"
    )
    assert len(opened.complaints) >= 2
    opened.page.close()


def test_the_gallery_searches(browser: Browser, tmp_path: Path) -> None:
    entries = listing_rows()
    opened = Opened(browser, gallery(entries, {}), tmp_path)
    assert opened.page.locator("#rows tr:visible").count() == len(entries)
    opened.page.fill("#search", "resnet 2015 18")
    found = opened.page.locator("#rows tr:visible th").all_inner_texts()
    assert "resnet18" in found
    assert len(found) < 10
    assert opened.text("#found").endswith(f"of {len(entries)} networks")
    opened.close()
