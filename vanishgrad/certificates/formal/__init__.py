"""Certificates that Coq checks: a file about one cell's weights, written, read back and put to the proof assistant."""

from vanishgrad.certificates.formal.prove import Formal
from vanishgrad.certificates.formal.request import (
    ENDING,
    FormallyCertified,
    certify_formally,
    check_formally,
)

__all__ = ["ENDING", "Formal", "FormallyCertified", "certify_formally", "check_formally"]
