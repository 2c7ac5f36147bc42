"""Two languages, one structure; every place has its number; the terms of the field are there."""

from __future__ import annotations

import math
import re

import mpmath as mp
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vanishgrad.errors import VanishgradError
from vanishgrad.formal_answer import AnswerRequest, answer
from vanishgrad.formal_answer.claims import Log
from vanishgrad.formal_answer.numerals import log_numeral, numeral
from vanishgrad.formal_answer.renderers.compose import Composer
from vanishgrad.formal_answer.structure import SECTIONS, Section
from vanishgrad.formal_answer.text import fill_places, labels, parse_text, places, texts
from vanishgrad.languages import LANGUAGES

TERMS = (
    "雅可比矩阵的乘积",
    "循环神经网络", "隐状态", "细胞状态", "遗忘门", "忘记门", "输入门", "输出门", "候选状态",
    "更新门", "重置门", "长期依赖", "随时间反向传播", "谱范数", "谱半径", "压缩映射", "次可乘性",
    "饱和", "梯度裁剪", "李雅普诺夫指数", "正交初始化", "半衰期", "信息锁存", "离散常数变易公式", "传送带",
    "常数误差传送", "间隔", "衰减率", "有效记忆长度", "消失", "爆炸",
)  # fmt: skip
ENGLISH_BESIDE = (
    "recurrent neural network", "hidden state", "cell state", "forget gate", "input gate", "output gate", "candidate",
    "update gate", "reset gate", "long-term dependency", "backpropagation through time", "spectral norm",
    "spectral radius", "contraction", "submultiplicativity", "saturation", "gradient clipping", "Lyapunov exponent",
    "orthogonal initialisation", "half-life", "information latching", "constant error carousel", "conveyor", "lag",
    "rate", "horizon", "vanishing", "exploding", "product of Jacobians", "Duhamel",
)  # fmt: skip


@pytest.fixture(scope="module")
def small():
    models = ("rnn", "rnn@gaussian:gain=0.1", "lstm", "lstm@chrono", "gru", "gru:forget_bias=9", "mgu")
    return answer(AnswerRequest(models=models, hidden=4, steps=60))


def parts(language):
    return [
        (section.id, name, text) for section in SECTIONS for name, text in texts(language)[section.id].parts.items()
    ]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.id)
def test_languages_have_the_same_parts_and_places(section):
    english, chinese = (texts(language)[section.id].parts for language in LANGUAGES)
    assert tuple(english) == tuple(chinese) == section.parts
    for name in section.parts:
        assert sorted(places(english[name])) == sorted(places(chinese[name])), name


def formulas(text):
    return sorted(re.findall(r"\$\$\n(.*?)\n\$\$", text, flags=re.DOTALL))


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.id)
def test_languages_have_the_same_displayed_formulas(section):
    english, chinese = (formulas("\n".join(texts(language)[section.id].parts.values())) for language in LANGUAGES)
    clean = [[re.sub(r"\\quad\\text\{[^}]*\}|[,.]\s*$", "", each) for each in found] for found in (english, chinese)]
    assert clean[0] == clean[1]


def test_languages_have_the_same_labels():
    assert sorted(labels("en")) == sorted(labels("zh"))


def test_a_missing_part_is_refused():
    with pytest.raises(VanishgradError, match="expected the parts definition"):
        parse_text("# Title\n\n## statement\nIt holds.\n", Section("T99", "T99"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_place_is_filled(small, language):
    for section, name, text in parts(language):
        for kind, place in places(text):
            assert place in {"": small.numbers, "table": small.tables, "figure": small.figures}[kind], (section, name)
        assert "{{" not in fill_places(text, lambda *_: "0", lambda *_: ""), (section, name)


def test_every_table_and_figure_is_shown(small):
    shown = {place for _, _, text in parts("en") for place in places(text)}
    assert {("table", name) for name in small.tables} | {("figure", name) for name in small.figures} <= shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_column_has_a_label(small, language):
    assert {column for table in small.tables.values() for column in table.columns} <= set(labels(language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_formulas_render_on_code_hosts(language):
    """Hosts want a space before ``$``, and take a backslash before punctuation for Markdown's own."""
    for section, name, text in parts(language):
        inline = re.sub(r"\$\$\n.*?\n\$\$", "", text, flags=re.DOTALL)
        assert not re.search(r"\\[^A-Za-z]", text), (section, name)
        assert inline.count("$") % 2 == 0, (section, name)
        pieces = inline.split("$")
        for before, after in zip(pieces[:-1:2], pieces[2::2], strict=True):
            assert not before or before[-1] in " \n(" or before.endswith("|"), (section, name, before[-20:])
            assert not after or not after[0].isalnum(), (section, name, after[:20])
        assert "|" not in "".join(pieces[1::2]), (section, name)


@pytest.mark.parametrize("term", TERMS)
def test_chinese_uses_the_terms_of_the_field(term):
    assert any(term in text for _, _, text in parts("zh"))


@pytest.mark.parametrize("term", ENGLISH_BESIDE)
def test_english_stands_beside_the_first_use(term):
    assert any(f"（{term}" in text for _, _, text in parts("zh"))


@pytest.mark.parametrize(
    ("language", "verdict"), [("en", "Mitigated, not unconditionally solved"), ("zh", "缓解，而非无条件解决")]
)
def test_conclusion(language, verdict):
    text = texts(language)["conclusion"].parts["text"]
    assert verdict in text
    assert len(re.findall(r"^\d+\. ", text, flags=re.MULTILINE)) == 10


@pytest.mark.parametrize("language", LANGUAGES)
def test_misstated_claims_are_all_there(language):
    assert len(re.findall(r"^\d+\. ", texts(language)["misstated"].parts["text"], flags=re.MULTILINE)) >= 18


PRINTED = re.compile(r"(?P<offset>1[-+])?(?P<number>-?[\d.]+)(?:\\times10\^\{(?P<exponent>-?\d+)\})?")


def printed(tex: str) -> mp.mpf:
    """The number that a piece of TeX shows, exactly."""
    offset, number, exponent = PRINTED.fullmatch(tex).groups()
    with mp.workdps(50):
        value = mp.mpf(number) * mp.mpf(10) ** int(exponent or 0)
        return value if offset is None else 1 + (value if offset == "1+" else -value)


@pytest.mark.parametrize("language", LANGUAGES)
def test_displayed_bounds_are_on_their_own_side(small, language):
    """A lower bound that is printed is below the computed one, an upper one above: both are true as printed."""
    composer, seen = Composer(small, language), 0
    for cell in (cell for table in small.tables.values() for row in table.rows for cell in row):
        if isinstance(cell, Log) and cell.side and math.isfinite(cell.log):
            shown = mp.log(printed(composer.cell(cell).strip("$")))
            assert (shown < cell.log) if cell.side == "lower" else (shown > cell.log), composer.cell(cell)
            seen += 1
    assert seen > 20


@given(st.floats(-500, 500).filter(lambda log: abs(log) > 1e-12), st.sampled_from(["lower", "upper"]))
@example(1e-8, "upper")
def test_a_logarithm_is_rounded_outward(log, side):
    shown = mp.log(printed(log_numeral(Log(log, side))))
    assert shown <= log if side == "lower" else shown >= log


@given(
    st.floats(-1e7, 1e7).filter(lambda value: abs(value) > 1e-7 and value != int(value)),
    st.sampled_from(["lower", "upper"]),
)
def test_a_number_is_rounded_outward(value, side):
    shown = printed(numeral(value, side=side))
    assert shown < value if side == "lower" else shown > value


def test_theorems_are_numbered_in_the_order_in_which_they_stand():
    numbers = [int(re.match(r"T(\d+)", section.symbol)[1]) for section in SECTIONS if section.symbol]
    assert numbers == sorted(numbers)
