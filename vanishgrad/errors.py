"""Errors: what can go wrong, each as one sentence for the person at the keyboard."""

from __future__ import annotations


class VanishgradError(Exception):
    """Something that depends on a file, its content, the numbers or the machine; exit status 1."""

    exit_code = 1


class UsageError(VanishgradError):
    """Something that the arguments alone show to be wrong; exit status 2."""

    exit_code = 2


class FontWarning(UserWarning):
    """No font has the characters of a language; pictures are in English."""


class HostileContentWarning(UserWarning):
    """A file asks for code to be run; it was not."""
