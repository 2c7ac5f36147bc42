"""An explanation as the JSON document that every other report of it is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from vanishgrad.inputs.lengths import lengths_of
from vanishgrad.languages import translate
from vanishgrad.questions.explain.section import Passage
from vanishgrad.questions.explain.sections import SECTIONS
from vanishgrad.reports.documents.declaration import Size
from vanishgrad.reports.documents.model import ModelDocument, model_members
from vanishgrad.reports.documents.report import FileRequestDocument, ModelsDocument, RunDocument, band_name
from vanishgrad.reports.sentences import reach, sentence

if TYPE_CHECKING:
    from vanishgrad.questions.explain.explain import ExplainedModel, ExplainResult


class ExplainRequestDocument(FileRequestDocument, RunDocument):
    """What was to be explained."""

    source: Annotated[str | None, "a MODEL or a file; null for a mapping of arrays"]
    only: Annotated[Sequence[str], "the sections that were asked for; all if empty"]
    hidden: Size
    input_size: Size | None
    tokens: str | None
    lags: Sequence[Size]
    exponents: Size | None
    lyapunov_steps: Size | None
    loss: Literal["all", "last"]
    cotangent: str | None
    truncation: Size | None


class ExplainedModelDocument(ModelDocument):
    """A model as `compare` has it, and sections: null where one does not apply, absent where it was not asked for."""

    @classmethod
    def further(cls) -> Mapping[str, Any]:
        """Return name → type of the sections."""
        return {name: section.declared for name, section in SECTIONS.items()}


class ExplainDocument(ModelsDocument):
    """What `explain` found."""

    command = "explain"

    request: ExplainRequestDocument
    models: Sequence[ExplainedModelDocument]
    refused: Annotated[Sequence[str], "a sentence for each layer that could not be read"]


def explanation(result: ExplainResult) -> ExplainDocument:
    """Return the document of an explanation."""
    models, request = [each.result for each in result.models], result.request
    return ExplainDocument.of(
        result,
        request=ExplainRequestDocument.of(
            request,
            source=None if isinstance(request.source, Mapping) else str(request.source),
            steps=max(each.steps for each in models),
            trials=models[0].trials,
            lengths=lengths_of(request.lengths),
            band=band_name(models[0].trials),
        ),
        models=[_model(each) for each in result.models],
    )


def _model(explained: ExplainedModel) -> ExplainedModelDocument:
    model = ExplainedModelDocument.of(explained.result, **model_members(explained.result))
    for name, section in explained.sections.items():
        part = None if section is None else SECTIONS[name].document(section, model)
        model = model.with_members(sections={**model.sections, name: part})
    return model


def why(model: ModelDocument) -> list[str]:
    """Return the sentences that answer why, before any section."""
    stack = model.curves.get("stack")
    through = [] if stack is None else [translate("through all layers up to this one {reach}", reach=reach(stack))]
    return [sentence(model), *through]


def shown_sections(model: ModelDocument) -> list[str]:
    """Return the sections that a model's document has something to say of."""
    return [name for name in SECTIONS if model.sections.get(name) is not None]


def passages(model: ModelDocument) -> list[Passage]:
    """Return what each section of a model's document says."""
    return [SECTIONS[name].passage(model.sections[name], model) for name in shown_sections(model)]
