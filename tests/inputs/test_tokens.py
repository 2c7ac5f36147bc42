"""What steps are called."""

from __future__ import annotations

import pytest

from vanishgrad.errors import VanishgradError
from vanishgrad.inputs.files import load
from vanishgrad.inputs.token_names import tokens


def test_a_text_has_a_name_for_each_byte() -> None:
    source = "text:né €!"
    found = tokens(source, None, 0, 9)
    assert found == ("n", "é", "", " ", "€", "", "", "!")
    assert load(source).values.shape == (1, len(found))
    assert bytes(load(source).values[0].tolist()).decode() == "né €!"


def test_a_text_file_is_read_alike(tmp_path) -> None:
    (tmp_path / "a.txt").write_bytes(b"ab\xff\n")
    assert tokens(str(tmp_path / "a.txt"), None, 1, 3) == ("b", "\ufffd", "\n")


def test_names_from_a_file_come_first_and_the_burn_in_is_passed_over(tmp_path) -> None:
    path = tmp_path / "names"
    path.write_text("a\nb\n\nd\n", encoding="utf-8")
    assert tokens("text:xyzw", str(path), 1, 3) == ("b", "", "d")
    with pytest.raises(VanishgradError, match="a token for each of 5 steps"):
        tokens("white", str(path), 0, 5)
    with pytest.raises(VanishgradError, match="tokens in a readable file"):
        tokens("white", str(tmp_path / "absent"), 0, 5)


def test_noise_has_no_names() -> None:
    assert tokens("white:0.5", None, 0, 3) is None
