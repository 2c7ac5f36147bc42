"""A page about a report: one file that holds everything, in both languages, and in which nothing that is named runs."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.questions.pictured import a_document, a_model, read
from vanishgrad.languages import LANGUAGES, in_language
from vanishgrad.questions.rendering import report_text
from vanishgrad.reports.documents.embedded import packed, report_in_page
from vanishgrad.reports.page.bilingual import in_every_language, inert
from vanishgrad.reports.page.charts import ChartLine, chart_places, line_chart

ROOT = Path(__file__).parents[3]
HOSTILE = "<script>alert(1)</script> \"'&</bdi> \u202egpj.exe \u05d0\u05d1 ${7*7} {{ 7*7 }}"
LARGEST_PAGE = 500_000


def page_of(document, command: str = "") -> str:
    return report_text(read(document), "html", command=command)


class Elements(HTMLParser):
    """All start tags with their attributes, and the text of the elements of one name."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))


def test_one_file_that_loads_nothing():
    source = page_of(a_document(a_model("rnn", gated=False), a_model("lstm")))
    for tag, attributes in Elements(source).tags:
        for name in ("src", "href", "action", "data", "srcset"):
            assert attributes.get(name, "#").startswith(("#", "data:")), (tag, attributes)
    outside_of_namespaces = source.replace("http://www.w3.org/2000/svg", "")
    assert "http:" not in outside_of_namespaces and "https:" not in outside_of_namespaces
    assert "default-src 'none'" in source


def test_the_report_is_inside_and_is_read_back(tmp_path, run):
    outcome = run(
        "compare", "rnn", "--hidden", "3", "--steps", "9", "--trials", "2", "--output", str(tmp_path / "p.html")
    )
    assert (outcome.status, outcome.out) == (0, "")
    again = run("plot", str(tmp_path / "p.html"), "--output", str(tmp_path / "p.svg"))
    assert again.status == 0, again.err
    checked = run("check", str(tmp_path / "p.html"), "--horizon", "1")
    assert checked.status in (0, 3) and "rnn" in checked.out
    assert run("diff", str(tmp_path / "p.html"), str(tmp_path / "p.html")).status == 0


def test_scalars_are_inside_as_they_are_and_lists_with_five_digits():
    document = {"scalar": 0.123456789012, "list": [0.123456789012, None, 3], "within": [{"scalar": 1.23456789}]}
    page = f'<script type="application/zlib;base64" id="report">{packed(document)}</script>'
    assert json.loads(report_in_page(page)) == {
        "scalar": 0.123456789012, "list": [0.12346, None, 3], "within": [{"scalar": 1.23456789}],
    }  # fmt: skip


@pytest.mark.parametrize("damage", ["", "AAAA", "no base64!"], ids=["none", "no zlib", "no base64"])
def test_a_page_without_a_whole_report_is_refused(tmp_path, run, damage):
    source = page_of(a_document(a_model("rnn", gated=False)))
    spoilt = re.sub(r'(id="report">)[^<]*', rf"\g<1>{damage}", source)
    (tmp_path / "p.html").write_text(spoilt, "utf-8")
    outcome = run("plot", str(tmp_path / "p.html"), "--output", str(tmp_path / "p.svg"))
    assert outcome.status == 1 and outcome.err.startswith("vanishgrad plot: expected a JSON report, or a page with one")


def test_hostile_names_are_text():
    document = a_document(a_model(HOSTILE), a_model("lstm"))
    source = page_of(document, command=f"vanishgrad compare '{HOSTILE}'")
    scripts = [attributes for tag, attributes in Elements(source).tags if tag == "script"]
    assert len(scripts) == 3  # the report, the charts' data and the page's own
    assert "alert(1)</script>" not in source
    assert "\u202e" not in source and r"\u202e" in source
    assert "{{ 7*7 }}" in source and "49" not in re.findall(r"<h3>.*?</h3>", source)[0]


def test_what_cannot_be_seen_is_written_out():
    assert inert("a\u202eb\x00c\ud800\n") == r"a\u202eb\u0000c\ud800" + "\n"
    assert inert("שלום 你好 ∂s_T") == "שלום 你好 ∂s_T"


def test_both_languages_are_in_the_page_whichever_is_spoken():
    document = a_document(a_model("lstm"))
    pages = {}
    for language in LANGUAGES:
        with in_language(language):
            pages[language] = page_of(document)
            assert f'<html lang="{language}">' in pages[language]
        assert '<span lang="en">' in pages[language] and '<span lang="zh">' in pages[language]


def test_texts_that_differ_are_kept_side_by_side():
    from vanishgrad.languages import language

    built = in_every_language(lambda: {"same": "x", "other": (language(), 1.5), "none": None})
    assert built == {"same": "x", "other": [{"en": "en", "zh": "zh"}, 1.5], "none": None}


def test_a_chart_has_the_same_numbers_as_its_table():
    chart = line_chart("t", ("lag", "y"), [("model", ["a", "b"])], [
        ChartLine((0,), range(4), [0.0, -1.25, None, -3.0]), ChartLine((1,), [0, 2], [0.5, 0.25]),
    ])  # fmt: skip
    unit = 10.0 ** -chart.data["digits"]
    first, second = chart.data["lines"]
    sums, total = [], 0
    for difference in first["y"]:
        total += difference or 0
        sums.append(None if difference is None else total * unit)
    assert sums == pytest.approx([0.0, -1.25, None, -3.0])
    assert first["x"] == 0 and second["x"] == [0, 2]
    assert chart.table.headings == ("lag", "0", "1", "2", "3")
    assert chart.table.rows == (("a", "0", "-1.25", "none", "-3"), ("b", "0.5", "", "0.25", ""))


@pytest.mark.parametrize("size", [1, 2, 240, 241, 10_000, 1_000_000])
def test_a_chart_shows_the_ends_and_what_a_screen_can(size):
    places = chart_places(size)
    assert places[0] == 0 and places[-1] == size - 1 and places == sorted(set(places))
    assert len(places) <= 360


def test_a_page_of_many_long_curves_stays_small():
    models = [a_model(f"layer.{i}", slope=-0.001 * (i + 1), steps=1500) for i in range(3)]
    assert len(page_of(a_document(*models)).encode()) < LARGEST_PAGE


def test_what_was_asked_and_how_to_make_it_again_are_said():
    source = page_of(a_document(a_model("lstm")), command="vanishgrad compare 'a b'")
    assert '<code id="command">vanishgrad compare &#39;a b&#39;</code>' in source
    assert "<code>threshold</code>" in source and "numpy" in source


SMALL = ["--hidden", "2", "--steps", "5", "--trials", "2"]
MADE_BY = {
    "compare": ["rnn", "lstm", *SMALL],
    "analyze": ["lstm", *SMALL],
    "explain": ["lstm", *SMALL, "--exponents", "1", "--lyapunov-steps", "20"],
    "learn": ["rnn", "--gaps", "2,3", "--seeds", "1", "--hidden", "2", "--batch", "2", "--updates", "2"],
    "sweep": ["rnn@gaussian:gain=1..2/2", "rnn", "--hidden", "2,3", "--steps", "5", "--trials", "2"],
}
"""A call of each command that writes a page."""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", MADE_BY)
def test_every_command_writes_one_in_each_language(run, tmp_path, command, language):
    target = tmp_path / "page.html"
    outcome = run(command, *MADE_BY[command], "--quiet", "--lang", language, "--output", str(target))
    assert (outcome.status, outcome.err) == (0, "")
    source = target.read_text("utf-8")
    assert f'<html lang="{language}">' in source and '<figure class="chart"' in source
    assert f"vanishgrad {command} " in source
    assert json.loads(report_in_page(source))["format"] == f"vanishgrad-{command}"


def test_an_html_page_goes_to_stdout_too(run):
    outcome = run("compare", "rnn", "--hidden", "2", "--steps", "4", "--trials", "1", "--format", "html")
    assert outcome.status == 0 and outcome.out.startswith("<!DOCTYPE html>")


def test_nothing_of_a_page_is_imported_where_none_is_written():
    code = (
        "import sys; from vanishgrad.cli import _status; "
        "_status(['compare', 'rnn', '--hidden', '2', '--steps', '4', '--trials', '1', '--json']); "
        "sys.exit('; '.join(each for each in sys.modules if each in ('jinja2', 'vanishgrad.reports.page')))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr.strip() == ""
    )


def test_what_a_page_is_made_from_is_among_the_package_data():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", "utf-8")
    package = ROOT / "vanishgrad"
    patterns = setup["options.package_data"]["vanishgrad"].split()
    shipped = {path for pattern in patterns for path in package.glob(pattern)}
    assert {package / "reports" / "page" / f"page.{ending}" for ending in ("html", "css", "js")} <= shipped


@pytest.mark.slow
def test_a_wheel_ships_it_too(tmp_path):
    pytest.importorskip("setuptools", minversion="70.1", reason="an older one needs more to build a wheel")
    source = tmp_path / "source"
    shutil.copytree(ROOT / "vanishgrad", source / "vanishgrad", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "-q",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            str(tmp_path),
            str(source),
        ],
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"vanishgrad/reports/page/page.{ending}" for ending in ("html", "css", "js")} <= set(names)
