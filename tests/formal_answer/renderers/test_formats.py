"""The formats: well-formed, self-contained, complete, in both languages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html import escape
from html.parser import HTMLParser
from xml.etree.ElementTree import fromstring

import pytest
from rich.cells import cell_len

from tests.formal_answer.renderers.mathematics_font import WOFF, letters
from vanishgrad.errors import VanishgradError
from vanishgrad.formal_answer import AnswerRequest, answer
from vanishgrad.formal_answer.renderers import pdf
from vanishgrad.formal_answer.renderers.claims_json import answer_document
from vanishgrad.formal_answer.renderers.compose import Composer
from vanishgrad.formal_answer.renderers.figure import drawing, svg
from vanishgrad.formal_answer.renderers.html import to_html
from vanishgrad.formal_answer.renderers.latex import to_latex
from vanishgrad.formal_answer.renderers.mathml import mathml
from vanishgrad.formal_answer.renderers.parse import parse
from vanishgrad.formal_answer.renderers.terminal import plain, to_terminal
from vanishgrad.formal_answer.renderers.typst_math import typst_math
from vanishgrad.formal_answer.structure import SECTIONS
from vanishgrad.languages import LANGUAGES
from vanishgrad.proofs.theorems import parts_of, register
from vanishgrad.reports.chinese_lines import chinese_lines
from vanishgrad.reports.terminal import Terminal

VOID = {"meta", "link", "input", "br"}


@pytest.fixture(scope="module")
def small():
    return answer(AnswerRequest(models=("rnn", "lstm@chrono", "gru"), hidden=4, steps=60))


@pytest.fixture(scope="module")
def lonely():
    return answer(AnswerRequest(models=("rnn",), hidden=3, steps=20))


def tokens(source):
    for token in parse(source):
        yield token
        yield from token.children or []


def formulas(source):
    return {token.content for token in tokens(source) if token.type in ("math_inline", "math_block")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_markdown_has_every_section_and_no_empty_place(small, language):
    source = Composer(small, language).markdown()
    assert source.count("\n### ") == len(SECTIONS)
    assert "{{" not in source
    assert "$" not in "".join(token.content for token in tokens(source) if token.type == "text")


@pytest.mark.parametrize("language", LANGUAGES)
def test_models_without_a_cell_leave_its_tables_out(lonely, language):
    composer = Composer(lonely, language)
    assert composer.markdown().count(composer.words["no_model"]) >= 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_formula_is_mathml_and_typst(small, language):
    for tex in formulas(Composer(small, language).markdown()):
        assert "\\" not in "".join(fromstring(mathml(tex)).itertext()), tex
        assert typst_math(tex), tex


class Balanced(HTMLParser):
    """Fails where a tag closes what is not open."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links = [], [], []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids.extend([found["id"]] if "id" in found else [])
        self.links.extend([found["href"]] if "href" in found else [])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", LANGUAGES)
def test_html_is_one_well_formed_file(small, language):
    source = to_html(small, language)
    page = Balanced()
    page.feed(source)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert not re.search(r"(src|href)=\"(?!#|data:)", source)
    assert "<script" not in source
    assert not re.search(r"url\((?!\"data:)", source)
    assert source.count("<svg") == len(LANGUAGES) * len(small.figures)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_font_of_formulas_has_every_character_of_them_and_its_tables_of_mathematics(small, language):
    fonts = pytest.importorskip("fontTools.ttLib")
    font = fonts.TTFont(WOFF)
    assert sorted(letters(to_html(small, language)) - set(map(chr, font.getBestCmap()))) == []
    assert font["MATH"].table.MathVariants.VertGlyphConstruction


@pytest.mark.parametrize("language", LANGUAGES)
def test_html_holds_every_language_and_the_one_spoken_is_first(small, language):
    source = to_html(small, language)
    titles = [Composer(small, each).words["title"] for each in LANGUAGES]
    assert all(source.count(f"<h1>{title}</h1>") == 1 for title in titles)
    assert f"<title>{Composer(small, language).words['title']}</title>" in source
    assert re.findall(r'id="in-(\w+)" checked', source) == [language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_of_theorems_are_links_to_them(small, language):
    source = to_html(small, language)
    own, _ = source.split('<div class="answer"')[1:]
    linked = dict(re.findall(r'<a href="#([\w-]+)">(T\d+(?:′|\(f\))?)</a>', own))
    assert linked == {section.id: section.symbol for section in SECTIONS if section.symbol and section.id in linked}
    assert {"T0", "T1", "T1b", "T5", "T7", "R26", "T12"} <= linked.keys()
    at_t5 = own.partition('<h3 id="T5">')[2].partition("<h3")[0]
    assert 'href="#T4"' in at_t5 and 'href="#T5"' not in at_t5


CHECKED = [part for part in register() if part.checked]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_statement_that_coq_has_checked_is_shown(small, language):
    composer = Composer(small, language)
    html, latex = to_html(small, language), to_latex(small, language)
    own = html.split('<div class="answer"')[1].partition("<main>")[2]
    assert own.count("<details>") == latex.count(r"\begin{verbatim}") == len(CHECKED)
    for part in CHECKED:
        assert f"(* {composer.summary(part)} *)\n{part.statement}\n" in composer.markdown()
        assert f"<summary>{escape(composer.summary(part))}</summary>" in html
        assert escape(part.statement) in html
        assert part.statement in latex


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_proved_on_paper_alone_is_said(small, language):
    composer = Composer(small, language)
    for section in (section for section in SECTIONS if section.symbol):
        (said,) = [text for text in composer.body(section) if composer.words["on_paper"] in text] or [""]
        left = [composer.words.get(f"part_{part.part}", part.part) for part in parts_of(section.id) if not part.checked]
        assert said == (f"**{composer.words['on_paper']}** {', '.join(left)}{composer.words['stop']}" if left else "")


def test_json_has_statements_and_axioms(small):
    theorems = answer_document(small, "en").to_dict()["theorems"]
    found = [
        (each["name"], each["file"], each["statement"], tuple(each["axioms"])) for t in theorems for each in t["coq"]
    ]
    assert found == [(part.name, f"{part.file}.v", part.statement, part.axioms) for part in CHECKED]
    assert {t["id"]: t["on_paper"] for t in theorems}["T8"] == ["(vi)"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_latex_is_balanced(small, language):
    source = to_latex(small, language)
    opened, closed = (sorted(re.findall(rf"\\{which}\{{(\w+)\}}", source)) for which in ("begin", "end"))
    assert opened == closed
    bare = source.replace(r"\{", "").replace(r"\}", "")
    assert bare.count("{") == bare.count("}")
    assert not [line for line in source.splitlines() if not line.startswith("%") and "′" in line]


@pytest.mark.parametrize("language", LANGUAGES)
def test_figures_are_well_formed(small, language):
    for figure in small.figures.values():
        picture = fromstring(svg(drawing(figure, Composer(small, language).words), "title"))
        assert len(picture.findall("{*}path")) > len(figure.series)


@pytest.mark.parametrize("language", LANGUAGES)
def test_json_has_the_claims(small, language):
    document = json.loads(answer_document(small, language).to_json())
    assert document["format"] == "vanishgrad-answer"
    assert [theorem["id"] for theorem in document["theorems"]] == [s.id for s in SECTIONS if s.symbol]
    assert len({claim["id"] for claim in document["claims"]}) == len(document["claims"])
    for claim in document["claims"]:
        assert claim["speaks"] == (claim["log10_bound"] is not None)
        assert claim["speaks"] == all(each["holds"] for each in claim["hypotheses"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_terminal_has_question_answer_and_table(small, language):
    text = to_terminal(small, language)
    assert "\x1b" not in text
    assert "$" not in text
    assert "vanishgrad answer" in text
    assert "chrono" in text
    assert "…" not in text
    assert max(map(cell_len, text.splitlines())) <= 80


@pytest.mark.parametrize("width", [60, 70, 80, 100])
def test_chinese_lines_keep_their_punctuation(small, width):
    lines = to_terminal(small, "zh", Terminal(width)).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert not [
        line for line in lines if line.endswith(("（", "“")) or line.lstrip().startswith(tuple("，。；：、）”"))
    ]
    assert not re.search("[，。；：、）] [^ ]", "\n".join(line for line in lines if "本次运行" not in line))


def test_emphasis_survives_a_line_break():
    assert chinese_lines("如果**一定**消失（*T*）。 然后", 7) == ["如果**一", "定**消失", "（*T*）。", "然后"]


@pytest.mark.parametrize("width", [60, 70, 80, 100])
def test_a_narrow_terminal_leaves_out_columns_before_it_breaks_names(width):
    bias = answer(AnswerRequest(models=("rnn", "lstm:forget_bias=5"), hidden=4, steps=60))
    lines = to_terminal(bias, "en", Terminal(width)).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert any("forget_bias=5" in line for line in lines)


@pytest.mark.parametrize(
    ("tex", "shown"),
    [
        (r"\partial c_T/\partial c_0", "∂c_T/∂c₀"),
        (r"6.35\times10^{-34}", "6.35×10⁻³⁴"),
        (r"J_{t-1}", "Jₜ₋₁"),
        (r"\gamma\lVert W_{hh}\rVert_2", "γ‖Wₕₕ‖₂"),
    ],
)
def test_plain_formula(tex, shown):
    assert plain(tex) == shown


def test_code_hosts_space_is_closed_up_in_print():
    (paragraph,) = [token for token in parse("其中， $x$，以及 $y$ 。") if token.type == "inline"]
    assert [child.content for child in paragraph.children] == ["其中，", "x", "，以及 ", "y", "。"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_pdf(small, language):
    pytest.importorskip("typst")
    try:
        found = pdf.to_pdf(small, language)
    except VanishgradError as error:
        pytest.skip(str(error))
    assert found.startswith(b"%PDF")


def test_chinese_pdf_without_a_font_is_one_sentence():
    with pytest.raises(VanishgradError, match=r"expected a Chinese font .* try installing .* --font"):
        pdf._families("zh", None, ["Libertinus Serif"], [])


def test_unknown_font_is_one_sentence():
    with pytest.raises(VanishgradError, match="expected --font to name a font"):
        pdf._families("en", "Nosuch", ["Libertinus Serif"], [])


def test_an_answer_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from vanishgrad.formal_answer import AnswerRequest, answer\n"
        "from vanishgrad.formal_answer.renderers.html import to_html\n"
        "to_html(answer(AnswerRequest(models=('rnn',), hidden=3, steps=8)), 'en')\n"
        "assert not {'matplotlib', 'scipy', 'torch'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
