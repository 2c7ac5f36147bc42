"""``python -m tests.fuzz --minutes 10``: random models until the time is over, with the faults and how many numbers."""

from __future__ import annotations

import argparse
import itertools
import sys
import time

from tests.fuzz.judge import judged
from tests.fuzz.models import draw, draw_other


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--first", type=int, default=1000, help="seed of the first model")
    parser.add_argument("--others", action="store_true", help="the cells that are not drawn else")
    given = parser.parse_args()
    end, checked, wrong = time.monotonic() + 60 * given.minutes, 0, 0
    for seed in itertools.count(given.first):
        if time.monotonic() > end:
            break
        count, faults = judged(draw_other(seed) if given.others else draw(seed))
        checked, wrong = checked + count, wrong + len(faults)
        for fault in faults:
            print(fault, flush=True)
    print(f"{checked} numbers of {seed - given.first} models checked, {wrong} of them wrong")
    sys.exit(3 if wrong else 0)


if __name__ == "__main__":
    main()
