"""Formats of a check for people and for CI: text, Markdown, GitHub's annotations and JUnit's XML."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from xml.etree import ElementTree

from vanishgrad.languages import translatable, translate, translated
from vanishgrad.questions.check.judge import CheckDocument, JudgedLayer
from vanishgrad.questions.explain.findings.report import effect, outcome
from vanishgrad.reports.markdown import markdown_page
from vanishgrad.reports.sentences import about, opening
from vanishgrad.reports.table import horizon

UNREAD = translatable("a recurrent layer could not be read; --partial checks the others alone")
MISSING = translatable("in the baseline and not here; --partial checks the others alone")
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def sentence(layer: JudgedLayer) -> str:
    """Return ``encoder.1: horizon 41, needs 50, was 63, vanishing; best remedy b_f + 1.2: … (computed)``."""
    reached, verdict = horizon(layer.horizon, layer.censored), translated(layer.verdict)
    parts = [
        translate("horizon {horizon}, needs {needs}, {verdict}", horizon=reached, needs=layer.needs, verdict=verdict)
        if layer.was is None
        else translate(
            "horizon {horizon}, needs {needs}, was {was}, {verdict}",
            horizon=reached, needs=layer.needs, was=layer.was, verdict=verdict,
        ),
        *map(translated, layer.further_reasons),
        *([translate("best remedy {effect}", effect=effect(layer.remedy))] if layer.remedy else []),
    ]  # fmt: skip
    return about([layer.label], translate("; ").join(parts))


def to_text(document: CheckDocument) -> str:
    """Return one line for each layer, after what to know of their input."""
    lines = [first] if (first := opening(document.layers)) else []
    lines += [f"{'ok  ' if layer.passed else 'FAIL'} {sentence(layer)}" for layer in document.layers]
    lines += [_not_read(refused) for refused in document.refused]
    if document.refused and not document.passed:
        lines.append(f"FAIL {translate(UNREAD)}")
    lines += [f"{'left' if document.passed else 'FAIL'} {_missing(label)}" for label in document.missing]
    lines += [_note(note) for note in document.baseline_notes]
    return "\n".join(lines) + "\n"


def _not_read(reason: str) -> str:
    return translate("not read: {reason}", reason=reason)


def _missing(label: str) -> str:
    return about([label], translate(MISSING))


def _note(note: str) -> str:
    return translate("note: {note}", note=translated(note))


def to_markdown(document: CheckDocument) -> str:
    """Return a table for a pull request or a job's summary."""
    request = document.request
    names = (
        "layer", "", "horizon", translatable("needs"), translatable("was"), "verdict",
        translatable("best remedy, computed"),
    )  # fmt: skip
    rows = (
        (
            layer.label,
            "✅" if layer.passed else "❌",
            horizon(layer.horizon, layer.censored),
            f"{layer.needs}",
            "–" if layer.was is None else f"{layer.was}",
            translate("; ").join(map(translated, [layer.verdict, *layer.further_reasons])),
            about([translated(layer.remedy.change)], outcome(layer.remedy)) if layer.remedy else "–",
        )
        for layer in document.layers
    )
    result = translate("passed") if document.passed else translate("failed")
    heading = translate(
        "vanishgrad check {outcome}: `{curve}` of `{report}`",
        outcome=result, curve=request.curve, report=request.report,
    )  # fmt: skip
    sentences = [first] if (first := opening(document.layers)) else []
    sentences += [_not_read(refused) for refused in document.refused]
    sentences += [_missing(label) for label in document.missing]
    sentences += [_note(note) for note in document.baseline_notes]
    legend = translate("Threshold {threshold}; horizons in steps.", threshold=f"{request.threshold:g}")
    return markdown_page(heading, names, rows, sentences, legend)


def to_github(document: CheckDocument) -> str:
    """Return GitHub's workflow commands: an error for each layer that fails, a notice for every other.

    Source: "Workflow commands for GitHub Actions", docs.github.com.
    """
    return "".join(
        f"::{'notice' if is_passed else 'error'} file={_escaped(document.request.report, ',:')},"
        f"title=vanishgrad check::{_escaped(message)}\n"
        for is_passed, message in _outcomes(document)
    )


def _outcomes(document: CheckDocument) -> Iterator[tuple[bool, str]]:
    for layer in document.layers:
        caution = translate(" ({caution})", caution=translated(layer.caution)) if layer.caution else ""
        yield layer.passed, sentence(layer) + caution
    if document.refused:
        yield document.passed, about([translate(UNREAD)], translate("; ").join(document.refused))
    yield from ((document.passed, _missing(label)) for label in document.missing)
    yield from ((True, translated(note)) for note in document.baseline_notes)


def _escaped(text: str, further: str = "") -> str:
    for character in "%\r\n" + further:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def to_junit(document: CheckDocument) -> str:
    """Return JUnit's XML: a test case for each layer, a failure with its sentence in those that fail; and notes."""
    outcomes = [(layer.label, layer.passed, sentence(layer)) for layer in document.layers]
    outcomes += [(f"unread {i}", document.passed, refused) for i, refused in enumerate(document.refused, 1)]
    outcomes += [(label, document.passed, _missing(label)) for label in document.missing]
    failures = sum(not is_passed for _, is_passed, _ in outcomes)
    suite = {"name": "vanishgrad check", "tests": f"{len(outcomes)}", "failures": f"{failures}", "errors": "0"}
    root = ElementTree.Element("testsuites")
    cases = ElementTree.SubElement(root, "testsuite", suite)
    for name, is_passed, message in outcomes:
        attributes = {"classname": _printable(document.request.report), "name": _printable(name)}
        case = ElementTree.SubElement(cases, "testcase", attributes)
        child = ElementTree.SubElement(case, "system-out" if is_passed else "failure")
        child.text = _printable(message)
        if not is_passed:
            child.set("message", _printable(message))
    if document.baseline_notes:
        ElementTree.SubElement(cases, "system-out").text = _printable("\n".join(map(_note, document.baseline_notes)))
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _printable(text: str) -> str:
    """Return a text with what XML cannot hold as escapes."""
    return NOT_IN_XML.sub(lambda match: match[0].encode("unicode_escape", "surrogatepass").decode(), text)


FORMATS: Mapping[str, Callable[[CheckDocument], str]] = {
    "text": to_text,
    "json": CheckDocument.to_json,
    "markdown": to_markdown,
    "github": to_github,
    "junit": to_junit,
}
"""--format → what writes it."""


def append_summary(document: CheckDocument) -> None:
    """Append the Markdown to the summary of a job on GitHub, where there is one."""
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(path, "a", encoding="utf-8") as summary:
            summary.write(to_markdown(document))
