"""The catalogue of each language holds every message of the source and no other, and its compiled form is that."""

from __future__ import annotations

import gettext
import re

import pytest

pytest.importorskip("babel", reason="reads and compiles the catalogue: pip install babel")

from tests import catalogue

FIELD = re.compile(r"\{\w+\}")
KEPT_IN_ENGLISH = re.compile(r"[a-z]{4,} [a-z]{2,} [a-z]{2,}")
"""Three English words one after another."""


@pytest.fixture(scope="module")
def translations():
    return catalogue.catalogue()


def keys(messages):
    return {(each.context, each.id) for each in messages if each.id}


def test_no_message_is_missing_and_none_is_left_over(translations):
    assert keys(translations) == keys(catalogue.extracted()), "try python -m tests.catalogue"


def test_every_message_is_translated(translations):
    assert catalogue.untranslated(translations) == []


def test_the_compiled_catalogue_is_the_catalogue(translations):
    with catalogue.COMPILED.open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for each in translations:
        one = each.id[0] if isinstance(each.id, tuple) else each.id
        text = each.string[0] if isinstance(each.string, tuple) else each.string
        if isinstance(each.id, tuple):
            assert compiled.ngettext(*each.id, 1) == text
        elif each.id:
            assert (compiled.pgettext(each.context, one) if each.context else compiled.gettext(one)) == text


def test_a_translation_has_the_values_of_its_message(translations):
    for each in translations:
        for text in each.string if isinstance(each.string, tuple) else (each.string,):
            message = each.id[-1] if isinstance(each.id, tuple) else each.id
            if message:
                assert sorted(FIELD.findall(text)) == sorted(FIELD.findall(message)), message


def test_chinese_is_written_as_chinese_is(translations):
    for each in translations:
        text = each.string if isinstance(each.string, str) else each.string[0]
        if each.id:
            assert not re.search(r"[\u4e00-\u9fff] ?[,;:?!]|[\u4e00-\u9fff]\.(?!\w)|[，。；：、（）] ", text), text
            assert not KEPT_IN_ENGLISH.search(text), text
