#!/usr/bin/env bash
# Dask distributed: LocalCluster(dashboard_address=None) still listens on port 8787.
#
# One would guess: no dashboard, no port. The docstring of LocalCluster says "Set to None to disable the dashboard".
# What happens: None means the default ":8787": the scheduler's HTTP server listens there, and answers /health and
# /info/main/workers.html, and dashboard_link names it. A second cluster on the machine warns that the port is taken.
# ":0", or "127.0.0.1:0", takes a free port; no value takes none.
#
# Seen with dask = distributed 2026.8.0.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q dask==2026.8.0 distributed==2026.8.0
cat > "$folder/try.py" <<'PYTHON'
import logging
import urllib.request

import distributed
from distributed import LocalCluster

if __name__ == "__main__":
    print("distributed", distributed.__version__)
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None,
                      silence_logs=logging.CRITICAL) as cluster:
        port = cluster.scheduler.http_server.port
        print("dashboard_address=None: the scheduler's HTTP server listens on port", port)
        answers = {}
        for page in ("/health", "/info/main/workers.html"):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{page}") as response:
                answers[page] = response.status
        print("it answers", answers)
        assert port and set(answers.values()) == {200}, "the behaviour has changed"
PYTHON
cd "$folder" && venv/bin/python try.py
