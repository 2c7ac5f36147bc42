"""``python -m vanishgrad``, and the command ``vanishgrad``: what a process needs before its arguments are read."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
import warnings

STREAMS = (("stdin", 0, os.O_WRONLY, "r"), ("stdout", 1, os.O_RDONLY, "w"), ("stderr", 2, os.O_WRONLY, "w"))
"""Name, descriptor, how the null device is opened for it, how the stream is used."""


def open_closed_streams() -> None:
    """Open each closed standard stream on the null device; stdin and stdout in the direction that they cannot use.

    No file that is opened later then becomes standard output, reading stdin or writing stdout fails as on a bad
    descriptor, and what is written to stderr is dropped.
    """
    for name, descriptor, flags, mode in STREAMS:
        if getattr(sys, name) is None:
            null = os.open(os.devnull, flags)
            if null != descriptor:
                os.dup2(null, descriptor)
                os.close(null)
            raw = io.FileIO(descriptor, mode, closefd=False)
            setattr(sys, name, io.TextIOWrapper(raw, encoding="utf-8", write_through=True))


def main() -> None:
    """Run the command line; Ctrl-C while its modules are loaded ends the process without a traceback.

    Until a command is loaded no garbage is collected: there is none, and looking for it takes a tenth of the start.
    """
    gc.disable()
    open_closed_streams()
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if not sys.warnoptions:  # what is wrong with a number is said by the report, not by NumPy
        warnings.simplefilter("ignore")
    from vanishgrad.cli import main as run

    signal.signal(signal.SIGINT, handler)
    run()


if __name__ == "__main__":
    main()
