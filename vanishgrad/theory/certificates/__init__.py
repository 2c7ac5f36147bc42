"""Certificates: claims about all input sequences, a prover that finds them and a checker that believes none of it."""

from vanishgrad.theory.certificates.attempts import Attempt
from vanishgrad.theory.certificates.certificate import Certificate
from vanishgrad.theory.certificates.check import check, verify
from vanishgrad.theory.certificates.checking.verdict import Verdict, Verification
from vanishgrad.theory.certificates.lower import along
from vanishgrad.theory.certificates.prove import Outcome, lower, upper
from vanishgrad.theory.certificates.request import Certified, CertifyRequest, certify

__all__ = [
    "Attempt",
    "Certificate",
    "Certified",
    "CertifyRequest",
    "Outcome",
    "Verdict",
    "Verification",
    "along",
    "certify",
    "check",
    "lower",
    "upper",
    "verify",
]
