"""The library and the register of the answer's theorems; what needs Coq is in the group `coq`."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import pytest

from vanishgrad.errors import VanishgradError
from vanishgrad.formal_answer.structure import SECTIONS
from vanishgrad.formal_answer.text import labels, texts
from vanishgrad.proofs import coq
from vanishgrad.proofs.library import PACKAGES, ROOMS, files_of, in_order, required_files, source
from vanishgrad.proofs.theorems import parts_of, register, sentences, statement

THEOREMS = [section.id for section in SECTIONS if section.symbol]
CHECKED = [part for part in register() if part.checked]
EVERY_FILE = [file for room in ROOMS for file in files_of(room)]


@pytest.mark.parametrize("room", ROOMS)
def test_a_file_comes_after_those_that_it_requires(room):
    order = in_order(room)
    assert sorted(order) == files_of(room)
    for place, file in enumerate(order):
        assert required_files(source(file)) <= set(order[:place])


def test_one_file_takes_only_what_it_requires():
    assert in_order("cert/Gates")[-1] == "cert/Gates"
    assert "cert/Gram" not in in_order("cert/Gates")


@pytest.mark.parametrize("file", EVERY_FILE)
def test_nothing_is_assumed(file):
    found = sentences(source(file))
    assert not [each for each in found if re.match(r"(Local |#\[.*\]\s*)?(Axiom|Parameter|Conjecture|Admitted)", each)]
    assert not [each for each in found if re.search(r"\badmit\b|\bUnset Guard\b|\bbypass_check\b", each)]


@pytest.mark.parametrize("file", EVERY_FILE)
def test_each_file_begins_in_words(file):
    assert source(file).startswith("(*")


@pytest.mark.parametrize("file", files_of("cert"))
def test_checking_a_certificate_takes_coq_alone(file):
    found = re.findall(r"^From (\S+) Require", source(file), re.MULTILINE)
    assert set(found) <= {"Coq", "VG.cert"}
    assert PACKAGES["cert"] == ("coq",)


# The register.


@pytest.mark.parametrize("section", THEOREMS)
def test_every_theorem_of_the_answer_is_in_the_register(section):
    assert parts_of(section)


def test_the_register_is_in_the_order_of_the_answer():
    sections = [part.section for part in register()]
    assert sections == sorted(sections, key=THEOREMS.index)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_part_is_a_label_of_the_text_or_has_a_word(language):
    words = labels(language)
    for part in register():
        text = texts(language)[part.section].parts["statement"]
        assert not part.part or part.part in text or f"part_{part.part}" in words, part


def test_every_labelled_part_of_a_statement_is_in_the_register():
    for section in THEOREMS:
        text = texts("en")[section].parts["statement"]
        found = set(re.findall(r"(?:^|\. |[^\w(])\(((?:[a-f]|i{1,3}|iv|vi?)[′″]?)\) (?=[\w*$])", text, re.MULTILINE))
        assert found <= {part.part.strip("()") for part in parts_of(section)}, section


@pytest.mark.parametrize("part", CHECKED, ids=lambda part: part.name)
def test_the_statement_is_in_the_file(part):
    assert re.search(rf"^(Theorem|Corollary|Lemma) {part.name}\b", part.statement, re.MULTILINE)
    assert part.statement.endswith(".")
    for sentence in sentences(part.statement):
        assert sentence in re.sub(r"\n\s*\n", "\n", source(part.file)) or "(*" in source(part.file)


NORMS = {
    "euclid": r"\bnorm2\b|\beuclid\b",
    "max": r"\b(op)?norm (n|m|\(size N\)) |\bdist\b",
    "any": r"\bN[ch]? x\b|\bNc\b|\bbounded N N\b|\bN \(",
}


@pytest.mark.parametrize("part", [part for part in register() if part.checked], ids=lambda part: part.name)
def test_the_norm_of_the_register_is_the_one_of_the_theorem(part):
    """Read off the theorem's own sentence, without what its section assumes."""
    own = part.statement[part.statement.index(f" {part.name}") :]
    assert part.norm == next((name for name, words in NORMS.items() if re.search(words, own)), "")


def test_a_statement_comes_with_what_its_sections_assume(monkeypatch):
    text = """(* words. (* nested. *) *)
Section Outer.
Variable n : nat.
Section Closed.
Variable gone : nat.
End Closed.
Hypothesis positive : 0 < n. (* a comment. *)
Lemma other : n = n.
Proof. easy. Qed.
Theorem wanted : n <> 0 ->
  n <> 0.
Proof. lia. Qed.
End Outer."""
    monkeypatch.setattr("vanishgrad.proofs.theorems.source", lambda file: text)
    expected = "Variable n : nat.\nHypothesis positive : 0 < n.\nTheorem wanted : n <> 0 ->\n  n <> 0."
    assert statement.__wrapped__("x", "wanted") == expected
    with pytest.raises(KeyError, match="x has no missing"):
        statement.__wrapped__("x", "missing")


def test_axioms_are_read_from_what_coq_prints():
    assert coq.axioms("Closed under the global context\n") == ()
    assert coq.axioms("Axioms:\nA.b : nat\nC.d\n  : forall P : Prop,\n    P\n") == ("A.b", "C.d")
    assert coq.axioms("nothing") is None


def test_the_library_is_shipped():
    assert all((files("vanishgrad.proofs") / f"{file}.v").is_file() for file in EVERY_FILE)


# Coq itself.


@pytest.fixture(scope="module")
def library():
    with coq.compiled_library(*ROOMS, seconds=1800) as folder:
        yield folder


@pytest.fixture(scope="module")
def answers(library):
    """What Coq prints about every theorem of the register, in two runs, and what its independent checker does beside."""
    with ThreadPoolExecutor(3) as pool:
        checker = pool.submit(independent_check, library)
        halves = pool.map(lambda half: assumptions(library, f"Asked{half}", CHECKED[half::2]), range(2))
        return {**next(halves), **next(halves)}, checker.result()


def independent_check(folder):
    names = [f"VG.{file.replace('/', '.')}" for file in files_of("abstract")]
    return coq.run(["coqchk", "-silent", "-o", "-Q", ".", "VG", *names], folder, 1800)


def assumptions(folder, name, parts):
    files = sorted({part.file.replace("/", ".") for part in parts})
    asked = [f"Print Assumptions VG.{part.file.replace('/', '.')}.{part.name}." for part in parts]
    (folder / f"{name}.v").write_text("\n".join([f"From VG Require {' '.join(files)}.", *asked]))
    ran = coq.coqc(folder, f"{name}.v", 900)
    assert ran.status == 0, ran.output
    answers = re.split(r"^(?=Axioms:|Closed under)", ran.output, flags=re.MULTILINE)[1:]
    return {(part.file, part.name): coq.axioms(found) for part, found in zip(parts, answers, strict=True)}


@pytest.mark.coq
@pytest.mark.parametrize("part", CHECKED, ids=lambda part: f"{part.file}-{part.name}")
def test_every_theorem_of_the_register_is_proved_with_its_axioms(part, answers):
    found = answers[0][part.file, part.name]
    assert found == tuple(sorted(part.axioms))
    assert set(found) <= set(coq.CLASSICAL_REALS)
    assert not found or not part.file.startswith("abstract/")


@pytest.mark.coq
def test_an_independent_checker_accepts_the_abstract_part_without_an_axiom(answers):
    ran = answers[1]
    assert ran.status == 0, ran.output
    assert "* Axioms: <none>" in ran.output


@pytest.mark.coq
def test_a_file_that_does_not_compile_is_told(monkeypatch):
    monkeypatch.setattr("vanishgrad.proofs.library.source", lambda name: "Lemma no : False. Proof. easy. Qed.")
    sentence = r"expected Coq to compile cert/Sums\.v, got .*; try Coq 8\.16"
    with pytest.raises(VanishgradError, match=sentence), coq.compiled_library("cert/Sums"):
        pass
