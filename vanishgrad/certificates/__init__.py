"""Certificates: claims about all input sequences, a prover that finds them and a checker that believes none of it."""

from vanishgrad.certificates.certificate import Certificate
from vanishgrad.certificates.check import check, verify
from vanishgrad.certificates.checking.verdict import CertificateVerdict, Verification
from vanishgrad.certificates.decide import decided
from vanishgrad.certificates.enclosure_along_sequence import enclosed
from vanishgrad.certificates.lower_bound_along_sequence import along
from vanishgrad.certificates.methods import Attempt
from vanishgrad.certificates.prove import Outcome, ProverVerdict, lower, upper
from vanishgrad.certificates.request import Certified, CertifyRequest, certify

__all__ = [
    "Attempt",
    "Certificate",
    "CertificateVerdict",
    "Certified",
    "CertifyRequest",
    "Outcome",
    "ProverVerdict",
    "Verification",
    "along",
    "certify",
    "check",
    "decided",
    "enclosed",
    "lower",
    "upper",
    "verify",
]
