#!/usr/bin/env bash
# Dask distributed: Client.get_executor() turns equal submissions into one task.
#
# One would guess: an Executor of concurrent.futures runs a function once for each submit(), as ProcessPoolExecutor and
# ThreadPoolExecutor do; three submissions of a function that draws random weights give three different draws.
# What happens: keys are hashes of function and arguments, so three equal submissions are ONE task and return one draw
# three times; map(f, [1, 1, 1]) runs f once. A sweep over seeds that passes no seed reports a spread of zero.
# get_executor(pure=False) gives every submission a task of its own.
#
# Seen with dask = distributed 2026.8.0.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q dask==2026.8.0 distributed==2026.8.0
cat > "$folder/try.py" <<'PYTHON'
import logging
import random

import distributed
from distributed import Client, LocalCluster


def draw(_):
    return random.SystemRandom().random()


if __name__ == "__main__":
    print("distributed", distributed.__version__)
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None,
                      silence_logs=logging.CRITICAL) as cluster, Client(cluster) as client:
        merged = [future.result() for future in [client.get_executor().submit(draw, 0) for _ in range(3)]]
        mapped = list(client.get_executor().map(draw, [1, 1, 1]))
        apart = [future.result() for future in [client.get_executor(pure=False).submit(draw, 0) for _ in range(3)]]
    print("three submissions of a random draw, distinct values:", len(set(merged)))
    print("map over [1, 1, 1], distinct values:", len(set(mapped)))
    print("three submissions with pure=False, distinct values:", len(set(apart)))
    assert (len(set(merged)), len(set(mapped)), len(set(apart))) == (1, 1, 3), "the behaviour has changed"
PYTHON
cd "$folder" && venv/bin/python try.py
