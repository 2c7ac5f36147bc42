"""Random models at the edges of floating point, judged by multiple-precision arithmetic."""
