"""The register of an explanation's sections: a row each, in the order in which they are shown."""

from __future__ import annotations

from vanishgrad.questions.explain.attention.figure import ATTENTION_PICTURE
from vanishgrad.questions.explain.attention.measure import attention
from vanishgrad.questions.explain.attention.report import (
    AttentionDocument,
    attention_document,
    attention_passage,
    attention_series,
)
from vanishgrad.questions.explain.directions.figure import DIRECTIONS_PICTURE
from vanishgrad.questions.explain.directions.measure import directions
from vanishgrad.questions.explain.directions.report import (
    DirectionsDocument,
    directions_document,
    directions_passage,
    directions_series,
)
from vanishgrad.questions.explain.findings.figure import FINDINGS_PICTURE
from vanishgrad.questions.explain.findings.measure import findings
from vanishgrad.questions.explain.findings.report import (
    FindingsDocument,
    findings_document,
    findings_passage,
    findings_series,
)
from vanishgrad.questions.explain.lyapunov.figure import LYAPUNOV_PICTURE
from vanishgrad.questions.explain.lyapunov.measure import lyapunov
from vanishgrad.questions.explain.lyapunov.report import (
    LyapunovDocument,
    lyapunov_document,
    lyapunov_passage,
    lyapunov_series,
)
from vanishgrad.questions.explain.map.figure import MAP_PICTURE
from vanishgrad.questions.explain.map.measure import map_
from vanishgrad.questions.explain.map.report import MapDocument, map_document, map_passage, map_series
from vanishgrad.questions.explain.paths.figure import PATHS_PICTURE
from vanishgrad.questions.explain.paths.measure import paths
from vanishgrad.questions.explain.paths.report import PathsDocument, paths_document, paths_passage, paths_series
from vanishgrad.questions.explain.section import ExplainSection
from vanishgrad.questions.explain.truncation.figure import TRUNCATION_PICTURE
from vanishgrad.questions.explain.truncation.measure import truncation
from vanishgrad.questions.explain.truncation.report import (
    TruncationDocument,
    truncation_document,
    truncation_passage,
    truncation_series,
)

SECTIONS: dict[str, ExplainSection] = {
    "paths": ExplainSection(
        paths, paths_document, PathsDocument, paths_passage, paths_series,
        {"detours": PATHS_PICTURE},
    ),
    "map": ExplainSection(
        map_, map_document, MapDocument, map_passage, map_series,
        {"map": MAP_PICTURE},
    ),
    "directions": ExplainSection(
        directions, directions_document, DirectionsDocument, directions_passage, directions_series,
        {"directions": DIRECTIONS_PICTURE},
    ),
    "lyapunov": ExplainSection(
        lyapunov, lyapunov_document, LyapunovDocument, lyapunov_passage, lyapunov_series,
        {"lyapunov": LYAPUNOV_PICTURE},
    ),
    "truncation": ExplainSection(
        truncation, truncation_document, TruncationDocument, truncation_passage, truncation_series,
        {"truncation": TRUNCATION_PICTURE},
    ),
    "attention": ExplainSection(
        attention, attention_document, AttentionDocument, attention_passage, attention_series,
        {"attention": ATTENTION_PICTURE},
    ),
    "findings": ExplainSection(
        findings, findings_document, FindingsDocument, findings_passage, findings_series,
        {"findings": FINDINGS_PICTURE},
    ),
}  # fmt: skip
"""Name, as in `--only`, the JSON document and CSV → section."""
