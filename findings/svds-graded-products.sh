#!/usr/bin/env bash
# One would guess: scipy.sparse.linalg.svds(solver="lobpcg") returns the k largest singular values, or warns.
# What happens: of a product of 100 Gaussian 32 x 32 matrices, whose sixth singular value is 1e-5 of the first, the
# fifth and sixth are returned as less than half of what they are, without a warning and without an exception.
# Exit: 0 if that is still so, 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1 mpmath==1.3.0
OPENBLAS_NUM_THREADS=1 "$folder/venv/bin/python" - <<'PYTHON'
import sys
import warnings

import mpmath
import numpy as np
import scipy
from scipy.sparse.linalg import LinearOperator, svds

random = np.random.default_rng(0)
steps = [random.standard_normal((32, 32)) / np.sqrt(32) for _ in range(100)]


def through(matrices, v):
    v = np.asarray(v).ravel()
    for J in matrices:
        v = J @ v
    return v


operator = LinearOperator(
    (32, 32),
    matvec=lambda v: through(steps, v),
    rmatvec=lambda u: through([J.T for J in reversed(steps)], u),
    dtype=float,
)
mpmath.mp.dps = 60
product = mpmath.eye(32)
for J in steps:
    product = mpmath.matrix(J.tolist()) * product
exact = np.array([float(each) for each in mpmath.svd_r(product, compute_uv=False)[:6]])
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    found = np.sort(svds(operator, k=6, solver="lobpcg", return_singular_vectors=False, rng=0))[::-1]
print(f"numpy {np.__version__}, scipy {scipy.__version__}, python {sys.version.split()[0]}")
print("60 digits:", *(f"{each:.3e}" for each in exact))
print("lobpcg:   ", *(f"{each:.3e}" for each in found))
error = float(np.max(np.abs(found / exact - 1)))
print(f"largest relative error {error:.0%}, {len(warned)} warnings")
sys.exit(0 if error > 0.3 and not warned else 1)
PYTHON
