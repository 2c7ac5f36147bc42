"""Pictures of a sweep: phase diagrams and slices, what they name, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import QuadMesh

import vanishgrad
from vanishgrad.errors import UsageError
from vanishgrad.questions.sweep.document import SweepDocument
from vanishgrad.questions.sweep.figure import SweepPicture, available_kinds, draw, render

OPTIONS = {
    "hidden": 6,
    "steps": 20,
    "trials": 3,
    "input": "zeros",
    "threshold": 0.3,
    "measure": "rate,horizon,norm@10,verdict",
}


@pytest.fixture(scope="module")
def document() -> SweepDocument:
    models = ["lstm@gaussian:gain=0.5..4/4,forget_bias=-2,1,4", "gru@gaussian:gain=0.5..4/4,forget_bias=-2,1,4"]
    return vanishgrad.sweep(models, report=True, **OPTIONS).typed


def texts(figure) -> str:
    return "\n".join(text.get_text() for axes in figure.axes for text in axes.texts) + "\n".join(
        text.get_text() for text in figure.texts
    )


@pytest.mark.parametrize("kind", ["phase", "slice"])
def test_a_picture_is_drawn_the_same_each_time(document, kind):
    first, again = (render(document, SweepPicture(kind, measure="rate"), "png") for _ in range(2))
    assert first[:4] == b"\x89PNG" and first == again


def test_a_phase_diagram_has_the_points_on_a_scale_centred_at_neutral(document):
    figure = draw(document, SweepPicture(x="gain", y="forget_bias", measure="rate"))
    meshes = [artist for axes in figure.axes for artist in axes.collections if isinstance(artist, QuadMesh)]
    for mesh, points in zip(meshes, (document.points[:12], document.points[12:]), strict=False):
        rates = [point.measures["rate"].value for point in points]
        assert np.allclose(mesh.get_array(), np.array(rates).reshape(4, 3).T)
        assert mesh.norm.vmin == -mesh.norm.vmax


def test_verdict_regions_and_theories_are_named_on_the_picture(document):
    said = texts(draw(document, SweepPicture(measure="rate")))
    assert "vanishing" in said and "exploding" in said and "mean field" in said and "N1" in said
    of_horizons = texts(draw(document, SweepPicture(measure="horizon")))
    assert "chrono" in of_horizons and "N1" not in of_horizons
    assert "chrono" in texts(draw(document, SweepPicture(measure="rate", overlay=("chrono",))))
    assert "mean field" not in texts(draw(document, SweepPicture(measure="rate", overlay=())))


def test_the_line_of_theory_is_its_critical_gain(document):
    figure = draw(document, SweepPicture(x="gain", y="forget_bias", measure="rate", overlay=("mean-field",)))
    _, dashed = figure.axes[0].lines
    gains, biases = dashed.get_data()
    inside = np.isfinite(gains)
    assert inside.any() and np.allclose(gains[inside], 4 / (1 + np.exp(biases[inside])), atol=1e-8)
    swapped = draw(document, SweepPicture(x="forget_bias", y="gain", measure="rate", overlay=("mean-field",)))
    assert np.array_equal(swapped.axes[0].lines[1].get_ydata(), gains, equal_nan=True)


def test_contours_are_at_the_levels_that_are_asked_for(document):
    figure = draw(document, SweepPicture(measure="norm@10", contour=(-2.0, 0.0, 1.0)))
    assert "Solid line: -2, 0, 1" in texts(figure)


def test_chrono_keeps_a_norm_and_is_no_zero_of_the_rate(document):
    picture = SweepPicture("slice", x="forget_bias", measure="rate", overlay=("chrono",))
    axes = draw(document, picture).axes[0]
    heights = {float(line.get_ydata()[0]) for line in axes.lines if line.get_marker() == "D"}
    assert heights == {axes.get_ylim()[0]}


def test_slices_have_a_line_for_each_value_or_model_with_its_band(document):
    figure = draw(document, SweepPicture("slice", x="gain", measure="rate"))
    lines = [line for line in figure.axes[0].lines if line.get_label().startswith("forget bias")]
    assert [line.get_label() for line in lines] == ["forget bias = -2", "forget bias = 1", "forget bias = 4"]
    rates = [document.points[i].measures["rate"].value for i in (0, 3, 6, 9)]
    assert np.allclose(lines[0].get_ydata(), rates) and len(figure.axes[0].collections) == 3
    by_model = draw(document, SweepPicture("slice", x="gain", y="model", measure="rate"))
    assert len(by_model.axes) == 3
    assert {"lstm@gaussian", "gru@gaussian"} <= {line.get_label() for line in by_model.axes[0].lines}


def test_layers_of_files_are_drawn(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed in (1, 2):
        cell = vanishgrad.random_cell("gru", hidden=3, seed=seed)
        np.savez(f"ck{seed}.npz", weight_hh_l0=cell.W_hh[0], weight_ih_l0=cell.W_hx[0])
    options = {"steps": "5,9", "trials": 2, "measure": "rate,horizon"}
    document = vanishgrad.sweep("ck*.npz", report=True, **options).typed
    phase = draw(document, SweepPicture(x="steps", y="file"))
    assert [text.get_text() for text in phase.axes[0].get_yticklabels()] == ["ck1.npz", "ck2.npz"]
    along = draw(document, SweepPicture("slice", x="file", y="steps"))
    assert [text.get_text() for text in along.axes[0].get_xticklabels()] == ["ck1.npz", "ck2.npz"]


def test_words_and_one_axis_are_drawn_too():
    words = vanishgrad.sweep(
        "rnn:activation=tanh,relu", report=True, **{**OPTIONS, "hidden": "3,4", "measure": "rate"}
    ).typed
    assert available_kinds(words) == ["phase", "slice"]
    render(words, SweepPicture(x="activation", y="hidden"), "svg")
    one = vanishgrad.sweep("rnn", report=True, **{**OPTIONS, "hidden": "3..48/5/log", "measure": "horizon"}).typed
    assert available_kinds(one) == ["slice"] and draw(one, SweepPicture()).axes[0].get_xscale() == "log"


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        ({"x": "speed"}, "expected an axis out of gain, forget_bias, got 'speed'"),
        ({"measure": "speed"}, "expected a measure out of rate, horizon, norm@10, verdict, got 'speed'"),
        ({"x": "gain", "y": "gain"}, "expected two axes for a phase diagram"),
        ({"overlay": ("magic",)}, "expected --overlay out of mean-field, chrono, n1, none, got 'magic'"),
        ({"kind": "bars"}, "expected --kind phase or slice of a report of sweep, got 'bars'"),
    ],
)
def test_what_a_sweep_has_not_is_refused(document, picture, said):
    with pytest.raises(UsageError, match=said):
        render(document, SweepPicture(**picture), "svg")


def test_an_overlay_that_speaks_of_nothing_shown_is_refused():
    document = vanishgrad.sweep(
        "rnn@gaussian:gain=1,2", report=True, **{**OPTIONS, "hidden": "3,4", "measure": "rate"}
    ).typed
    with pytest.raises(UsageError, match="expected axes and a MODEL that n1 speaks of, got gain and hidden"):
        draw(document, SweepPicture(overlay=("n1",)))
    with pytest.raises(UsageError, match="expected an axis for a slice, got none"):
        draw(vanishgrad.sweep("rnn", report=True, **OPTIONS).typed, SweepPicture())


def test_titles_and_axes_name_the_measure_in_words(document):
    phase, along = (draw(document, SweepPicture(kind, measure="verdict")) for kind in ("phase", "slice"))
    assert phase.texts[0].get_text() == "Phase diagram: verdict on ‖∂s_T/∂s_k‖ at the last lag"
    assert along.texts[0].get_text() == "Verdict on ‖∂s_T/∂s_k‖ at the last lag along gain"
    assert along.axes[0].get_ylabel() == "verdict on ‖∂s_T/∂s_k‖ at the last lag"
    bar = draw(document, SweepPicture("phase", measure="rate")).axes[-1]
    assert bar.get_ylabel() == "rate of ‖∂s_T/∂s_k‖, nats per step"
