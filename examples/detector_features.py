"""What a speech detector's LSTM really gets: its own encoder on silence, on noise and on sung syllables, in NumPy.

``python examples/detector_features.py silero_vad_16k.safetensors features.npy`` writes (3, 100, 128): the outputs of
the encoder of snakers4/silero-vad (16 kHz), which stands in the same file as the LSTM. They are never negative: white
noise looks like none of them. Then

    vanishgrad analyze silero_vad_16k.safetensors --input features.npy
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import numpy as np

RATE = 16_000
"""Samples a second."""
CHUNK, CONTEXT, HOP, BINS = 512, 64, 128, 129
"""Samples of a frame, of the frame before that stand in front of it, between two spectra; frequencies of a spectrum."""
FRAMES = 100
"""Of 32 ms: 3.2 seconds."""
STRIDES = {"conv1": 1, "conv2": 2, "conv3": 2, "conv4": 1}
FORMANTS = {700: 110, 1220: 120, 2600: 160}
"""Of the vowel [a]: centre → bandwidth, Hz (Peterson and Barney 1952, men)."""
PITCH, SYLLABLES = 120, 4
"""Hz, and a second: a vowel that is held is no speech to the detector, one that comes and goes is."""


def weights(path: str) -> dict[str, np.ndarray]:
    """Return the float32 tensors of a safetensors file by name, as float64."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(data[slice(*about["data_offsets"])], "<f4").reshape(about["shape"]).astype(np.float64)
        for name, about in header.items()
    }


def convolved(x: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """Return a one-dimensional convolution of (channels, time), without padding."""
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[2], axis=1)[:, ::stride]
    return np.einsum("itk,oik->ot", windows, kernel)


def encoded(frame: np.ndarray, tensors: dict[str, np.ndarray]) -> np.ndarray:
    """Return the 128 features of a frame with its context, (576,): magnitudes of spectra, then four convolutions."""
    padded = np.pad(frame, (0, CONTEXT), mode="reflect")[None]
    spectra = convolved(padded, tensors["stft_conv.weight"], HOP)
    x = np.hypot(spectra[:BINS], spectra[BINS:])
    for name, stride in STRIDES.items():
        x = convolved(np.pad(x, ((0, 0), (1, 1))), tensors[f"{name}.weight"], stride)
        x = np.maximum(x + tensors[f"{name}.bias"][:, None], 0)
    (features,) = x.T
    return features


def features(signal: np.ndarray, tensors: dict[str, np.ndarray]) -> np.ndarray:
    """Return the features of every frame of a signal, (frames, 128)."""
    led = np.concatenate([np.zeros(CONTEXT), signal])
    starts = range(0, len(signal), CHUNK)
    return np.stack([encoded(led[start : start + CONTEXT + CHUNK], tensors) for start in starts])


def syllables(samples: int) -> np.ndarray:
    """Return [a] in syllables at one pitch: impulses through a resonator for each formant, largest sample about 0.5."""
    x = (np.arange(samples) % (RATE // PITCH) == 0).astype(float)
    for centre, width in FORMANTS.items():
        r, angle = np.exp(-np.pi * width / RATE), 2 * np.pi * centre / RATE
        y = np.zeros(samples + 2)
        for t in range(samples):
            y[t + 2] = x[t] + 2 * r * np.cos(angle) * y[t + 1] - r * r * y[t]
        x = y[2:]
    return 0.5 * x / np.abs(x).max() * np.clip(np.sin(2 * np.pi * SYLLABLES * np.arange(samples) / RATE), 0, 1)


def signals() -> Iterator[np.ndarray]:
    """Yield silence, white noise of standard deviation 0.1, and syllables."""
    samples = FRAMES * CHUNK
    yield np.zeros(samples)
    yield 0.1 * np.random.default_rng(0).standard_normal(samples)
    yield syllables(samples)


if __name__ == "__main__":
    source, target = sys.argv[1:]
    tensors = weights(source)
    np.save(target, np.stack([features(signal, tensors) for signal in signals()]))
