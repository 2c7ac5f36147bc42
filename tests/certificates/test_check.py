"""The checker: every change is told, and a change with a new digest is judged by what it claims."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import vanishgrad.certificates as package
from vanishgrad import random_cell
from vanishgrad.certificates import CertificateVerdict, CertifyRequest, certify, check, upper, verify
from vanishgrad.certificates.certificate import digest
from vanishgrad.certificates.checking.verdict import Inequalities, Undecided
from vanishgrad.certificates.reading import layer_subject
from vanishgrad.certificates.report import CertificateDocument
from vanishgrad.errors import VanishgradError
from vanishgrad.questions.documents import schema_of

READS = {"certificate", "reading", "report", "subject"}
"""The modules that prover and checker share: those that read files, and the declaration of what a file says."""

REQUESTS = {
    "scaled_norm": {"source": "rnn@gaussian:gain=0.4", "hidden": 6},
    "max_norm": {"source": "rnn@gaussian:gain=0.3", "hidden": 1},
    "gram_norms": {"source": "lstm@gaussian:gain=0.05", "hidden": 5, "input_size": 2, "input_bound": 0.1},
    "block_norms": {"source": "gru@gaussian:gain=0.05,reset=before", "hidden": 4, "input_size": 2, "input_bound": 0.1},
    "cone": {"source": "gru@gaussian:gain=0.1,forget_bias=5", "hidden": 4, "input_bound": 0.5, "claim": "lower"},
    "bilinear": {"source": "lstm", "hidden": 4, "input": "white", "steps": 12},
    "gram_norms of mgu": {"source": "mgu@gaussian:gain=0.05,reset=after", "hidden": 4, "input_bound": 0.1},
    "cone of mgu": {
        "source": "mgu@gaussian:gain=0.1,forget_bias=5",
        "hidden": 3,
        "input_bound": 0.5,
        "claim": "lower",
    },
    "enclosure": {"source": "gru:reset=before", "hidden": 3, "along": "white", "steps": 5},
    "periodic_orbit": {"source": "gru@gaussian:gain=8", "hidden": 2, "input_bound": 1.0, "seed": 1},
}


@pytest.fixture(params=REQUESTS, scope="module")
def certificate(request, tmp_path_factory) -> Path:
    """A certificate of each method, with the files beside it."""
    path = tmp_path_factory.mktemp(request.param) / "cert.json"
    result = certify(CertifyRequest(output=str(path), **REQUESTS[request.param]))
    assert result.outcome.certificate.method == request.param.partition(" ")[0]
    for name, content in result.files.items():
        Path(name).write_bytes(content)
    return path


def rewritten(path: Path, change, name: str = "changed.json", reseal: bool = True) -> str:
    """Return the path of a changed copy; `reseal` gives it the digest of its new content."""
    content = json.loads(path.read_text())
    change(content)
    if reseal:
        content["sha256"] = digest(content)
    (path.parent / name).write_text(json.dumps(content))
    return str(path.parent / name)


def test_what_the_prover_makes_is_valid(certificate):
    found = check(str(certificate))
    assert found.verdict is CertificateVerdict.VALID
    assert found.reason == json.loads(certificate.read_text())["statement"]


@pytest.mark.parametrize("claim", ["upper", "lower"])
@pytest.mark.parametrize(
    "model", ["lstm", "gru", "gru:reset=before", "mgu", "lstm@gaussian:gain=0", "gru@gaussian:gain=1e-9"]
)
def test_a_box_of_inputs_that_is_a_point_has_a_valid_certificate(model, claim, tmp_path):
    law, path = model if "@" in model else model.partition(":")[0] + "@gaussian:gain=0.05", tmp_path / "cert.json"
    variant = ",reset=before" if "before" in model else ""
    result = certify(CertifyRequest(law + variant, str(path), claim, input_bound=0.0, hidden=3))
    for name, content in result.files.items():
        Path(name).write_bytes(content)
    assert check(str(path)).verdict is CertificateVerdict.VALID


def test_its_file_is_what_the_schema_says(certificate):
    content, schema = json.loads(certificate.read_text()), schema_of("certificate")
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(content)
    assert CertificateDocument.read(content).to_dict() == content


def test_what_is_not_declared_is_not_written():
    outcome = upper(random_cell("rnn@gaussian:gain=0.4", hidden=3))
    broken = replace(outcome.certificate, witness={**outcome.certificate.witness, "mu": -1.0})
    with pytest.raises(VanishgradError, match=r"expected a number from 0 .*as witness.mu, got -1"):
        broken.to_json()


def test_another_layout_of_the_same_content_is_valid(certificate):
    assert check(rewritten(certificate, lambda content: None, reseal=False)).verdict is CertificateVerdict.VALID


def paths(value, at=()):
    """Yield the path of every leaf."""
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from paths(each, (*at, key))
    elif isinstance(value, list) and value:
        yield from paths(value[0], (*at, 0))
    elif value != {}:
        yield at


def moved(value):
    """Return a leaf with the least change."""
    if isinstance(value, float):
        return float(np.nextafter(value, np.inf))
    return value + 1 if isinstance(value, int) else f"{value} "


def test_every_change_without_a_new_digest_is_invalid(certificate):
    for path in paths(json.loads(certificate.read_text())):

        def change(content, path=path):
            *outer, last = path
            for key in outer:
                content = content[key]
            content[last] = moved(content[last])

        if path[0] in ("format", "format_version"):
            continue
        assert check(rewritten(certificate, change, reseal=False)).verdict is CertificateVerdict.INVALID, path


def claim(name, factor):
    def change(content):
        from vanishgrad.certificates.certificate import statement

        content["claim"][name] *= factor
        content["statement"] = statement(content["claim"], content["model"])

    return change


STRONGER = {
    "upper": [("rho", 0.5), ("C", 0.5)],
    "lower": [("rho", 1.2), ("C", 2.0)],
    "along": [("value", 1.001)],
    "enclosure": [],
    "refuted": [("rho", 1 + 2.0**-52)],
}
WEAKER = {
    "upper": [("rho", 1.5), ("C", 3.0)],
    "lower": [("rho", 0.5), ("C", 0.5)],
    "along": [("value", 0.5)],
    "enclosure": [],
    "refuted": [("rho", 0.5)],
}


"""Of an enclosure, `test_enclosed.py`."""


def kind(path: Path) -> str:
    return json.loads(path.read_text())["claim"]["kind"]


def test_a_stronger_claim_with_a_new_digest_is_invalid_and_the_inequality_is_named(certificate):
    for name, factor in STRONGER[kind(certificate)]:
        found = check(rewritten(certificate, claim(name, factor)))
        assert found.verdict is CertificateVerdict.INVALID
        assert any(sign in found.reason for sign in "≤≥"), found.reason


def test_a_weaker_claim_with_a_new_digest_is_valid(certificate):
    for name, factor in WEAKER[kind(certificate)]:
        found = check(rewritten(certificate, claim(name, factor)))
        assert found.verdict is CertificateVerdict.VALID, (name, found.reason)


def test_a_statement_that_says_more_than_the_numbers_is_invalid(certificate):
    found = check(rewritten(certificate, lambda content: content.update(statement="nothing ever vanishes")))
    assert found.verdict is CertificateVerdict.INVALID


def numbers(value):
    """Yield the dicts or lists and keys under which floats stand."""
    for key in value if isinstance(value, dict) else range(len(value)):
        if isinstance(value[key], float):
            yield value, key
        elif isinstance(value[key], dict | list):
            yield from numbers(value[key])


@pytest.mark.parametrize("replacement", [-1.0, 0.0, "1", None, [1.0], 1e300])
def test_a_broken_witness_is_never_an_exception(certificate, replacement):
    size = len(list(numbers(json.loads(certificate.read_text())["witness"])))
    for place in range(0, size, max(1, size // 5)):

        def change(content, place=place):
            holder, key = list(numbers(content["witness"]))[place]
            holder[key] = replacement

        assert check(rewritten(certificate, change)).verdict in CertificateVerdict


@pytest.mark.parametrize(
    "field",
    ["scale", "mu", "x", "h", "c", "factors", "joints", "q", "u", "input_pieces", "word", "state", "eigenvalue"],
)
def test_a_missing_part_of_the_witness_is_invalid(certificate, field):
    content = json.loads(certificate.read_text())
    if field in content["witness"] and field != "input_pieces":
        changed = rewritten(certificate, lambda content: content["witness"].pop(field))
        assert check(changed).verdict is CertificateVerdict.INVALID


def test_another_method_is_invalid(certificate):
    for method in (
        "scaled_norm",
        "max_norm",
        "block_norms",
        "gram_norms",
        "cone",
        "bilinear",
        "enclosure",
        "periodic_orbit",
        "faith",
    ):
        if method != json.loads(certificate.read_text())["method"]:
            changed = rewritten(certificate, lambda content, method=method: content.update(method=method))
            assert check(changed).verdict is not CertificateVerdict.VALID, method


@pytest.mark.parametrize("name", ["gram_norms", "gram_norms of mgu"])
def test_a_sum_by_one_gram_matrix_is_refused_once_a_weight_or_its_norm_is_smaller(name, tmp_path):
    path = tmp_path / "cert.json"
    for file, data in certify(CertifyRequest(output=str(path), **REQUESTS[name])).files.items():
        Path(file).write_bytes(data)

    def lighter(content):
        for t in content["witness"]["joints"]["h"]["weights"].values():
            t[0] *= 1 - 1e-4

    def smaller(content):
        content["witness"]["joints"]["h"]["norm"] *= 1 - 1e-9

    assert "Σ a² / t² ≤ 1" in check(rewritten(path, lighter)).reason
    assert "‖diag(t) W‖₂ ≤ norm" in check(rewritten(path, smaller)).reason
    for change in (lighter, smaller):
        assert check(rewritten(path, change)).verdict is CertificateVerdict.INVALID


def test_a_smaller_norm_than_the_true_one_is_refuted_by_a_vector(tmp_path):
    path = tmp_path / "cert.json"
    for name, data in certify(CertifyRequest("rnn@gaussian:gain=0.4", str(path), hidden=20)).files.items():
        Path(name).write_bytes(data)

    def change(content):
        content["witness"]["mu"] *= 1 - 1e-9

    found = check(rewritten(path, change))
    assert (found.verdict, found.reason) == (CertificateVerdict.INVALID, "it does not hold that ‖ΔWΔ⁻¹‖₂ ≤ μ")


def test_other_weights_are_invalid_and_missing_ones_inconclusive(certificate, tmp_path):
    changed, weights = tmp_path / "other.npz", next(certificate.parent.glob("*.npz"))
    with np.load(weights) as arrays:
        tensors = dict(arrays)
    tensors["weight_hh_l0"] = tensors["weight_hh_l0"] * (1 + 2.0**-50)
    np.savez(changed, **tensors)
    assert check(str(certificate), str(changed)).verdict is CertificateVerdict.INVALID
    alone = tmp_path / "cert.json"
    alone.write_bytes(certificate.read_bytes())
    assert check(str(alone)).verdict is CertificateVerdict.INCONCLUSIVE


def test_the_last_bit_of_one_weight_is_told(certificate, tmp_path):
    weights = next(certificate.parent.glob("*.npz"))
    with np.load(weights) as arrays:
        tensors = dict(arrays)
    name = next(each for each in tensors if "hh" in each and tensors[each].ndim == 2)
    tensors[name] = tensors[name].copy()
    tensors[name][-1, -1] = np.nextafter(tensors[name][-1, -1], np.inf)
    np.savez(tmp_path / "other.npz", **tensors)
    assert check(str(certificate), str(tmp_path / "other.npz")).verdict is CertificateVerdict.INVALID


@pytest.mark.parametrize("name", ["block_norms", "gram_norms", "cone", "bilinear", "enclosure", "periodic_orbit"])
def test_a_certificate_of_sigma_and_tanh_is_not_valid_for_other_gates(name, tmp_path):
    """Sealed anew for hard sigmoids: what is shown of σ says nothing of them."""
    path = tmp_path / "cert.json"
    result = certify(CertifyRequest(output=str(path), **REQUESTS[name]))
    for file, content in result.files.items():
        Path(file).write_bytes(content)
    outcome, inputs = result.outcome, tmp_path / "cert.inputs.npy"
    xs = np.load(inputs) if inputs.exists() else None
    known = layer_subject(str(tmp_path / "cert.weights.npz"), outcome.certificate.weights)
    verify(outcome.certificate, known, xs, Inequalities())
    other = replace(known, gate_activation="hard_sigmoid")
    resealed = replace(outcome.certificate, model=other.described)
    with pytest.raises(Undecided, match="the gates are σ and the candidate tanh"):
        verify(resealed, other, xs, Inequalities())


def test_other_inputs_are_invalid(tmp_path):
    path = tmp_path / "cert.json"
    for name, data in certify(CertifyRequest(output=str(path), **REQUESTS["bilinear"])).files.items():
        Path(name).write_bytes(data)
    np.save(tmp_path / "cert.inputs.npy", np.load(tmp_path / "cert.inputs.npy") * 1.5)
    assert check(str(path)).verdict is CertificateVerdict.INVALID


NO_CERTIFICATES = {
    "": "an empty file",
    "[]": "JSON that is no object",
    "{}": "JSON without a format",
    '{"format": "vanishgrad-certificate", "format_version": 1}': "no dict for claim",
    '{"format": "vanishgrad-compare"}': "the format 'vanishgrad-compare'",
    '{"format": 1, "format": 2}': "the same name twice",
    '{"a": NaN}': "NaN, which is not JSON",
    '{"a": 1e999}': "a number too large",
    "[" * 100_000: "JSON that is nested too deeply",
    "\x00": "what is no JSON in line 1",
}


@pytest.mark.parametrize(("text", "got"), NO_CERTIFICATES.items(), ids=range(len(NO_CERTIFICATES)))
def test_what_is_no_certificate_is_said_in_a_sentence(tmp_path, text, got):
    path = tmp_path / "cert.json"
    path.write_text(text)
    with pytest.raises(VanishgradError, match=rf"expected a certificate in .*, got {got}.*; try"):
        check(str(path))


def test_the_checker_imports_nothing_of_the_prover():
    root = Path(package.__file__).parent
    for path in (root / "check.py", *(root / "checking").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(package.__name__):
                module = node.module.removeprefix(package.__name__).lstrip(".").split(".")[0]
                assert module in READS | {"checking"}, f"{path.name} imports {node.module}"


def test_the_reader_imports_nothing_of_the_prover():
    root = Path(package.__file__).parent
    for name in READS:
        for node in ast.walk(ast.parse((root / f"{name}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(package.__name__):
                assert node.module.removeprefix(package.__name__).lstrip(".") in READS
