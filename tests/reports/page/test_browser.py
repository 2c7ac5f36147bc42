"""A page in a real browser: charts, languages, keyboard, and nothing that complains, asks or runs.

Needs Chromium with its driver, and Selenium: ``python -m pytest -m browser``.
"""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import pytest

from tests.questions.pictured import a_document, a_model, read
from tests.reports.page.test_page import HOSTILE
from vanishgrad.questions.rendering import report_text

pytestmark = pytest.mark.browser
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TEXT = "the cat sat"


@pytest.fixture(scope="module")
def driver():
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs Selenium: pip install selenium")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None or shutil.which("chromedriver") is None:
        pytest.skip("needs Chromium and chromedriver: apt install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options, service)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    """Return pages about models with hostile names, and about an explanation with words."""
    from vanishgrad.cli import _status

    folder = tmp_path_factory.mktemp("pages")
    hostile = a_document(a_model(HOSTILE), a_model("lstm", slope=-0.1), a_model("gru", slope=0.3))
    (folder / "hostile.html").write_text(report_text(read(hostile), "html", command="vanishgrad 'x'"), "utf-8")
    words = ["explain", "lstm", "--hidden", "3", "--trials", "2", "--text", TEXT, "--only", "map", "--only", "findings"]
    assert _status([*words, "--quiet", "--output", str(folder / "words.html")]) == 0
    swept = ["sweep", "rnn@gaussian:gain=0.5..2/4", "--hidden", "3,4", "--steps", "6", "--trials", "2"]
    assert _status([*swept, "--quiet", "--output", str(folder / "swept.html")]) == 0
    return {path.stem: path for path in folder.iterdir()}


@pytest.fixture
def opened(driver, pages):
    """Open a page at a width; afterwards it has complained of nothing and asked for nothing."""
    visited = []

    def opened(name: str, width: int = 1280):
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        for kind in ("browser", "performance"):
            driver.get_log(kind)
        driver.get(pages[name].as_uri())
        visited.append(pages[name].as_uri())
        return driver

    yield opened
    assert driver.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    sent = [each["params"]["request"]["url"] for each in events if each["method"] == "Network.requestWillBeSent"]
    assert [url for url in sent if not url.startswith("data:")] == visited


def all_of(driver, selector: str):
    return driver.find_elements("css selector", selector)


def one(driver, selector: str):
    return driver.find_element("css selector", selector)


def move_to(driver, element, x: int = 0) -> None:
    from selenium.webdriver import ActionChains

    scroll_to(driver, element)
    ActionChains(driver).move_to_element_with_offset(element, x, 0).perform()


def scroll_to(driver, element) -> None:
    """Scroll until nothing moves any more: charts are drawn when they come near."""
    for _ in range(2):
        driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")


def press(driver, key: str) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    ActionChains(driver).send_keys(getattr(Keys, key)).perform()


def test_it_is_ready_at_once(opened):
    driver = opened("hostile")
    assert int(one(driver, "html").get_attribute("data-ready")) > 0
    assert len(all_of(driver, ".line")) == 3


@pytest.mark.parametrize("width", [390, 1280])
def test_only_tables_scroll_sideways(opened, width):
    driver = opened("hostile", width)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    assert driver.execute_script("return innerWidth") == width


def test_lines_are_switched_off_and_on(opened):
    driver = opened("hostile")
    models, curves = all_of(driver, "#curves fieldset")
    first = one(models, ".toggle")
    first.click()
    assert first.get_attribute("aria-pressed") == "false"
    assert len(all_of(driver, ".line")) == 2
    one(curves, ".every").click()
    assert len(all_of(driver, ".line")) == 2 * 6
    all_of(driver, "#curves fieldset:nth-of-type(2) .every")[1].click()
    assert all_of(driver, ".line") == [] and "nothing is shown" in one(driver, "#curves .plot").text


def test_the_axis_becomes_logarithmic_and_bands_go(opened):
    driver = opened("hostile")
    straight = one(driver, ".line").get_attribute("d")
    log, bands = all_of(driver, "#curves input")
    log.click()
    assert one(driver, ".line").get_attribute("d") != straight
    assert all_of(driver, ".spread")
    bands.click()
    assert not all_of(driver, ".spread")


def test_pointing_at_a_chart_names_the_numbers_there(opened):
    driver = opened("hostile")
    move_to(driver, one(driver, "#curves .plot"))
    tip = one(driver, "#curves .tip").text
    assert tip.startswith("lag T − k (steps) = 10") and "lstm · state" in tip and "−1" in tip


def test_a_chart_is_read_by_the_keyboard(opened):
    driver = opened("hostile")
    plot, tip = one(driver, "#curves .plot"), one(driver, "#curves .tip")
    driver.execute_script("arguments[0].focus()", plot)
    assert plot.get_attribute("role") == "img" and "median over trials" in plot.get_attribute("aria-label")
    for key, lag in (("HOME", 0), ("ARROW_RIGHT", 1), ("END", 20), ("ARROW_LEFT", 19)):
        press(driver, key)
        assert tip.text.startswith(f"lag T − k (steps) = {lag}\n"), key
    assert tip.get_attribute("aria-live") == "polite"
    press(driver, "ESCAPE")
    assert tip.text == ""


def test_the_language_is_switched(opened):
    driver = opened("hostile")
    assert one(driver, "#verdicts h2").text == "Verdicts"
    one(driver, "[data-language=zh]").click()
    assert one(driver, "html").get_attribute("lang") == "zh"
    chinese = one(driver, "#verdicts h2").text
    assert chinese and not chinese.isascii()
    assert not one(driver, "#curves .plot").get_attribute("aria-label").isascii()
    assert not driver.title.isascii()
    one(driver, "[data-language=en]").click()
    assert one(driver, "#verdicts h2").text == "Verdicts"


def test_hostile_names_are_shown_and_do_nothing(opened):
    driver = opened("hostile")
    shown = HOSTILE.replace("\u202e", r"\u202e")
    assert one(driver, ".card h3").text == shown
    assert one(driver, "#curves .toggle").text == shown
    assert driver.execute_script("return document.querySelectorAll('script').length") == 3


def test_every_control_has_a_name_and_every_chart_a_table(opened):
    driver = opened("words")
    tree = driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    controls = [node for node in tree if node.get("role", {}).get("value") in ("button", "checkbox", "link", "image")]
    assert controls and all(node["name"]["value"].strip() for node in controls if not node["ignored"])
    assert all(all_of(block, "table") for block in all_of(driver, ".block:has(figure.chart)"))


def test_pointing_at_a_word_says_what_reaches_it(opened):
    driver = opened("words")
    words = all_of(driver, ".words button")
    assert "".join(word.text for word in words) == TEXT.replace(" ", "␣")
    move_to(driver, words[4])
    said = one(driver, ".said").text
    assert said.startswith("back from step 5 ‘c’ at least 1/1000 is left up to step")
    assert words[4].get_attribute("aria-pressed") == "true"
    assert "after" in words[5].get_attribute("class") and "after" not in words[3].get_attribute("class")
    driver.execute_script("arguments[0].focus()", words[4])
    press(driver, "ARROW_RIGHT")
    assert one(driver, ".said").text.startswith("back from step 6 ‘a’")


def test_the_map_names_a_pair_of_steps(opened):
    driver = opened("words")
    canvas = one(driver, "canvas.plot")
    scroll_to(driver, canvas)
    driver.execute_script("arguments[0].focus()", canvas)
    press(driver, "ARROW_UP")
    press(driver, "ARROW_UP")
    tip = one(driver, "#model-0 .drawing:has(canvas.plot) .tip").text
    assert "from step 0 to step 10 ‘a’" in tip and "10^" in tip


def test_a_plane_names_its_values(opened):
    driver = opened("swept")
    plot = one(driver, "#measure-0 .plot")
    assert len(all_of(plot, "rect")) == 8
    scroll_to(driver, plot)
    driver.execute_script("arguments[0].focus()", plot)
    press(driver, "ARROW_RIGHT")
    press(driver, "ARROW_RIGHT")
    assert one(driver, "#measure-0 .tip").text.startswith("rate = −")


def test_the_report_is_saved_as_json(opened, pages, tmp_path):
    driver = opened("hostile")
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "deny"})
    text = driver.execute_async_script("""
        const done = arguments[0], make = URL.createObjectURL;
        URL.createObjectURL = (blob) => { blob.text().then(done); return make.call(URL, blob); };
        document.getElementById("download").click();
    """)
    assert json.loads(text)["format"] == "vanishgrad-explain"


def test_on_paper_there_is_no_control_and_no_page_is_cut(opened):
    driver = opened("words")
    pdf = driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
    assert base64.b64decode(pdf).startswith(b"%PDF")
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not one(driver, ".switch").is_displayed() and not one(driver, "nav").is_displayed()
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
