"""The logarithmic axis."""

from __future__ import annotations

import numpy as np
import pytest

from vanishgrad.reports.figures.log_axis import Decades, power_of_ten

RANGES = {
    "two decades": (-2, 0),
    "threshold to one": (-3, 1),
    "hundred steps": (-34, 1),
    "below the smallest float": (-440, 3),
    "hundred thousand steps": (-31_000, 0),
    "exploding": (-3, 300),
    "both ends": (-440, 300),
}


@pytest.fixture(params=RANGES.values(), ids=RANGES)
def scale(request):
    return Decades.of([np.array(request.param, dtype=float)])


def test_the_axis_has_a_readable_number_of_ticks_that_do_not_touch(scale):
    places = np.sort(scale.places(np.array(list(scale.ticks))))
    assert 3 <= len(places) <= 14
    assert np.diff(places).min() > 0.05


def test_places_ascend_and_fill_the_axis(scale):
    places = scale.places(np.linspace(scale.low, scale.high, 1001))
    assert (np.diff(places) > 0).all()
    assert (places[0], places[-1]) == (0, pytest.approx(1, abs=1e-12))


@pytest.mark.parametrize("other", [0.0, -60.0, -440.0, 300.0])
def test_an_exponential_is_straight_whatever_else_is_drawn(other):
    line = np.linspace(0, -40, 9)
    places = Decades.of([line, np.array([other])]).places(line)
    # interpolation: a few roundings of places up to 1
    assert np.diff(places) == pytest.approx(np.diff(places)[0], abs=1e-14)


def test_exact_zeros_have_a_row_below_everything():
    scale = Decades.of([np.array([0.0, -5.0, np.nan])])
    assert scale.heights(np.array([-5.0, np.nan, -np.inf])).tolist() == [-5.0, -5.5, -5.5]
    assert scale.ticks[-5.5] == "0"


@pytest.mark.parametrize(("exponent", "text"), [(0, "1"), (1, "10"), (-1, "10⁻¹"), (-300, "10⁻³⁰⁰"), (12, "10¹²")])
def test_powers_of_ten_are_written_as_people_write_them(exponent, text):
    assert power_of_ten(exponent) == text


def test_the_axis_of_a_panel_goes_there_and_back():
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    Decades.of([np.array([-440.0, 300.0, np.nan])]).apply(axes)
    values = np.array([-440.5, -440.0, -12.0, -3.0, 0.0, 6.0, 300.0])
    transform = axes.yaxis.get_transform()
    # interpolation there and back: a few roundings of numbers up to 440
    assert transform.inverted().transform(transform.transform(values)) == pytest.approx(values, abs=1e-10)
