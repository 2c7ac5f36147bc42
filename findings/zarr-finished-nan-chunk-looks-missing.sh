#!/usr/bin/env bash
# zarr 3: a chunk that was computed and is all NaN leaves no trace in the store.
#
# One would guess: after a region of a float array has been written, the store holds its chunk, so that "which chunks
# exist" tells a resumed run what is done.
# What happens: a chunk equal to the fill value is not written (write_empty_chunks is off), and the fill value that
# xarray gives to float variables is NaN. A point of a grid whose result is NaN (a diverged network, a norm that is
# undefined) is computed again at every resume; a count or flag of 0 likewise. Keep a marker that is never the fill
# value, or write with write_empty_chunks.
#
# Seen with zarr 3.1.6, xarray 2026.9.0, numpy 2.4.6.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q zarr==3.1.6 xarray==2026.9.0 numpy==2.4.6 dask==2026.8.0
cat > "$folder/try.py" <<'PYTHON'
import pathlib
import warnings

import numpy as np
import xarray as xr
import zarr

warnings.simplefilter("ignore")
print("zarr", zarr.__version__, "xarray", xr.__version__)
template = xr.Dataset({"rate": ("gain", np.zeros(4))}).chunk(gain=1)
template.to_zarr("grid.zarr", compute=False, consolidated=False)
for i, value in enumerate([0.5, np.nan, 0.0, 0.25]):
    xr.Dataset({"rate": ("gain", [value])}).to_zarr("grid.zarr", region={"gain": slice(i, i + 1)}, consolidated=False)
chunks = sorted(path.name for path in pathlib.Path("grid.zarr/rate/c").iterdir())
print("four points were written; chunks in the store:", chunks)
assert chunks == ["0", "2", "3"], "the behaviour has changed"
PYTHON
cd "$folder" && venv/bin/python try.py
