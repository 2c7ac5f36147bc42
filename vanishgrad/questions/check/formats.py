"""Formats of a check for people and for CI: text, Markdown, GitHub's annotations and JUnit's XML."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from xml.etree import ElementTree

from vanishgrad.questions.check.judge import CheckDocument, JudgedLayer
from vanishgrad.questions.explain.findings.report import effect
from vanishgrad.reports.markdown import markdown_page
from vanishgrad.reports.sentences import opening
from vanishgrad.reports.table import horizon

UNREAD = "a recurrent layer could not be read; --partial checks the others alone"
MISSING = "in the baseline and not here; --partial checks the others alone"
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def sentence(layer: JudgedLayer) -> str:
    """Return ``encoder.1: horizon 41, needs 50, was 63, vanishing; best remedy b_f + 1.2: … (computed)``."""
    was = "" if layer.was is None else f", was {layer.was}"
    reached = f"horizon {horizon(layer.horizon, layer.censored)}, needs {layer.needs}{was}, {layer.verdict}"
    best = [f"best remedy {effect(layer.remedy)}"] if layer.remedy else []
    return f"{layer.label}: {'; '.join([reached, *layer.further_reasons, *best])}"


def to_text(document: CheckDocument) -> str:
    """Return one line for each layer, after what to know of their input."""
    lines = [first] if (first := opening(document.layers)) else []
    lines += [f"{'ok  ' if layer.passed else 'FAIL'} {sentence(layer)}" for layer in document.layers]
    lines += [f"not read: {refused}" for refused in document.refused]
    if document.refused and not document.passed:
        lines.append(f"FAIL {UNREAD}")
    lines += [f"{'left' if document.passed else 'FAIL'} {label}: {MISSING}" for label in document.missing]
    lines += [f"note: {note}" for note in document.baseline_notes]
    return "\n".join(lines) + "\n"


def to_markdown(document: CheckDocument) -> str:
    """Return a table for a pull request or a job's summary."""
    request = document.request
    names = ("layer", "", "horizon", "needs", "was", "verdict", "best remedy, computed")
    rows = (
        (
            layer.label,
            "✅" if layer.passed else "❌",
            horizon(layer.horizon, layer.censored),
            f"{layer.needs}",
            "–" if layer.was is None else f"{layer.was}",
            "; ".join([layer.verdict, *layer.further_reasons]),
            effect(layer.remedy).removesuffix(" (computed)") if layer.remedy else "–",
        )
        for layer in document.layers
    )
    heading = f"vanishgrad check {'passed' if document.passed else 'failed'}: `{request.curve}` of `{request.report}`"
    sentences = [first] if (first := opening(document.layers)) else []
    sentences += [f"not read: {refused}" for refused in document.refused]
    sentences += [f"{label}: {MISSING}" for label in document.missing]
    sentences += [f"note: {note}" for note in document.baseline_notes]
    return markdown_page(heading, names, rows, sentences, f"Threshold {request.threshold:g}; horizons in steps.")


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
        yield layer.passed, sentence(layer) + (f" ({layer.caution})" if layer.caution else "")
    if document.refused:
        yield document.passed, f"{UNREAD}: {'; '.join(document.refused)}"
    yield from ((document.passed, f"{label}: {MISSING}") for label in document.missing)
    yield from ((True, note) for note in document.baseline_notes)


def _escaped(text: str, further: str = "") -> str:
    for character in "%\r\n" + further:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def to_junit(document: CheckDocument) -> str:
    """Return JUnit's XML: a test case for each layer, a failure with its sentence in those that fail."""
    outcomes = [(layer.label, layer.passed, sentence(layer)) for layer in document.layers]
    outcomes += [(f"unread {i}", document.passed, refused) for i, refused in enumerate(document.refused, 1)]
    outcomes += [(label, document.passed, f"{label}: {MISSING}") for label in document.missing]
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
