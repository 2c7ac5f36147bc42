// Charts of a page, its language switch and its buttons. Texts go in as text nodes, never as HTML.
(function () {
  "use strict";
  const root = document.documentElement;
  const content = JSON.parse(document.getElementById("charts").textContent);
  const words = content.words;
  const charts = [];
  const DASHES = ["", "7 3", "2 3", "8 3 2 3", "12 4", "4 2", "1 4", "10 3 2 3 2 3", "3 6"];
  const COLOURS = 7;
  const MOST_LINES_IN_TIP = 12;
  const CIVIDIS = [[0, 34, 78], [33, 62, 110], [79, 87, 108], [112, 113, 115], [147, 141, 120], [185, 172, 112], [220, 204, 91], [254, 232, 56]];

  const text = (it) => (it !== null && typeof it === "object" ? it[root.lang] || it.en : String(it));
  const minus = (number) => String(number).replace("-", "−");
  const power = (log) => (log === null ? text(words.zero) : "10^" + minus(log.toFixed(Math.abs(log) < 10 ? 2 : 1)));

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    fill(made, attributes, children);
    return made;
  }
  function shape(name, attributes, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    fill(made, attributes, children);
    return made;
  }
  function fill(made, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (typeof value === "function") made.addEventListener(name, value);
      else if (value !== null) made.setAttribute(name, value);
    }
    made.append(...children);
  }
  const isolated = (it) => element("bdi", {}, text(it));

  function summed(differences, unit) {
    let sum = 0;
    return differences.map((difference) => (difference === null ? null : (sum += difference) * unit));
  }

  // Axes.
  function ticks(low, high, most, areWhole) {
    const raw = (high - low) / most;
    const unit = 10 ** Math.floor(Math.log10(raw));
    const step = Math.max(unit * ([1, 2, 5, 10].find((factor) => unit * factor >= raw) || 10), areWhole ? 1 : 0);
    const values = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) values.push(Number((i * step).toPrecision(10)));
    return values;
  }
  const whole = (values) => values.every((value) => Math.abs(value - Math.round(value)) < 1e-9);
  const stretched = (value) => (value < 1 ? value - 0.5 : Math.log10(value));
  const short = (value) => typeof value === "string" ? value : minus(Math.abs(value) >= 10000 || (value && Math.abs(value) < 0.001) ? value.toExponential().replace("+", "") : Number(value.toPrecision(6)));

  // A chart of lines.
  function lines(box, data, caption) {
    for (const line of data.lines) {
      if (typeof line.x === "number") { const first = line.x; line.x = line.y.map((_, i) => first + i); }
      for (const column of ["y", "low", "high"]) if (line[column]) line[column] = summed(line[column], 10 ** -data.digits);
    }
    const state = { on: data.facets.map((facet) => new Set(facet.shown)), log: data.log, band: true, at: null };
    const controls = element("div", { class: "controls" });
    const plot = shape("svg", { class: "plot", tabindex: "0", role: "img" });
    const tip = element("div", { class: "tip", role: "status", "aria-live": "polite" });
    box.append(controls, plot, tip);
    // The first facet with several values has the colours, the next one the dashes.
    const hued = data.facets.length > 1 && data.facets[0].values.length === 1 ? 1 : 0, dashed = hued + 1;
    const hasDashes = data.facets.length > dashed;
    const colour = (line) => "var(--c" + (line.of[hued] % COLOURS) + ")";
    const block = (place) => Math.floor(place / COLOURS) * (hasDashes ? 4 : 1);
    const dash = (line) => DASHES[((hasDashes ? rank(line.of[dashed]) : 0) + block(line.of[hued])) % DASHES.length];
    const rank = (value) => [...data.facets[dashed].shown, ...data.facets[dashed].values.keys()].filter((v, i, all) => all.indexOf(v) === i).indexOf(value);
    const visible = () => data.lines.filter((line) => line.of.every((value, i) => state.on[i].has(value)));
    const name = (line) => line.of.map((value, i) => (data.facets[i].values.length > 1 || i === 0 ? text(data.facets[i].values[value]) : "")).filter(Boolean).join(" · ");
    const named = (x) => data.names[x] || short(x);
    let view = null;

    function buildControls() {
      controls.replaceChildren();
      data.facets.forEach((facet, i) => {
        if (facet.values.length < 2) return;
        const field = element("fieldset", {}, element("legend", {}, text(facet.name)));
        facet.values.forEach((value, place) => field.append(toggle(i, value, place)));
        if (facet.values.length > 3) for (const [word, places] of [[words.all, [...facet.values.keys()]], [words.none, []]]) {
          field.append(element("button", { type: "button", class: "every", click: () => { state.on[i] = new Set(places); refresh(); } }, text(word)));
        }
        controls.append(field);
      });
      const boxes = element("div", { class: "boxes" });
      if (data.log !== null) boxes.append(box_("log", words.log));
      if (data.lines.some((line) => line.low)) boxes.append(box_("band", words.band));
      controls.append(boxes);
    }
    function box_(key, label) {
      const input = element("input", { type: "checkbox", change: (event) => { state[key] = event.target.checked; draw(); } });
      input.checked = state[key];
      return element("label", {}, input, text(label));
    }
    function toggle(i, value, place) {
      const style = i === hued ? { stroke: "var(--c" + (place % COLOURS) + ")", "stroke-dasharray": DASHES[block(place) % DASHES.length] } : { stroke: "var(--ink)", "stroke-dasharray": i === dashed ? DASHES[rank(place) % DASHES.length] : null };
      const swatch = shape("svg", { class: "swatch", viewBox: "0 0 28 12", "aria-hidden": "true" }, shape("path", { d: "M0 6H28", fill: "none", "stroke-width": 3, ...style }));
      return element("button", { type: "button", class: "toggle", "aria-pressed": String(state.on[i].has(place)), click: (event) => {
        if (!state.on[i].delete(place)) state.on[i].add(place);
        event.currentTarget.setAttribute("aria-pressed", String(state.on[i].has(place)));
        draw();
      } }, swatch, isolated(value));
    }
    function refresh() { buildControls(); draw(); }

    function draw() {
      const shown = visible();
      const width = Math.max(box.clientWidth, 260), height = Math.round(Math.min(Math.max(width * 0.5, 240), 400));
      const left = 52, right = width - 12, top = 10, bottom = height - 42;
      plot.setAttribute("viewBox", `0 0 ${width} ${height}`);
      plot.setAttribute("height", height);
      plot.setAttribute("aria-label", text(caption) + "; " + text(words.chart_keys));
      plot.replaceChildren();
      const xs = shown.flatMap((line) => [line.x[0], line.x[line.x.length - 1]]);
      const ys = shown.flatMap((line) => [...line.y, ...(state.band && line.low ? [...line.low, ...line.high] : [])]).filter((y) => y !== null);
      if (!ys.length) {
        plot.append(shape("text", { x: width / 2, y: height / 2, "text-anchor": "middle" }, text(words.nothing)));
        view = null;
        return point(null);
      }
      const areWhole = whole(ys), areStepsWhole = shown.every((line) => whole(line.x));
      if (data.level) ys.push(data.level.y);
      const along = state.log ? stretched : (x) => x;
      const x0 = Math.min(...xs), x1 = Math.max(...xs), span = along(x1) - along(x0) || 1;
      let y0 = Math.min(...ys), y1 = Math.max(...ys);
      const room = (y1 - y0) * 0.04 || 1;
      y0 -= room; y1 += room;
      const px = (x) => left + ((right - left) * (along(x) - along(x0))) / span;
      const py = (y) => top + ((bottom - top) * (y1 - y)) / (y1 - y0);
      for (const y of ticks(y0, y1, height / 50, areWhole)) plot.append(shape("path", { class: "grid", d: `M${left} ${py(y)}H${right}` }), shape("text", { x: left - 6, y: py(y) + 4, "text-anchor": "end" }, short(y)));
      for (const x of state.log ? [0, ...Array.from({ length: 9 }, (_, i) => 10 ** i), x1].filter((x, i, all) => x >= x0 && x <= x1 && all.indexOf(x) === i && (x === x1 || px(x1) - px(x) > 30)) : data.names.length ? data.names.keys() : ticks(x0, x1, width / 90, areStepsWhole)) {
        plot.append(shape("path", { class: "axis", d: `M${px(x)} ${bottom}v4` }), shape("text", { x: px(x), y: bottom + 17, "text-anchor": "middle" }, named(x)));
      }
      plot.append(shape("path", { class: "axis", d: `M${left} ${top}V${bottom}H${right}` }));
      plot.append(shape("text", { x: (left + right) / 2, y: height - 6, "text-anchor": "middle" }, text(data.x)));
      plot.append(shape("text", { transform: `translate(12 ${(top + bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, text(data.y)));
      if (data.level) plot.append(shape("path", { class: "level", d: `M${left} ${py(data.level.y)}H${right}` }));
      const at = (line, column) => line.x.map((x, i) => (column[i] === null ? null : [px(x), py(column[i])]));
      if (state.band) for (const line of shown) if (line.low) plot.append(shape("path", { class: "spread", fill: colour(line), d: runs(at(line, line.low).map((p, i) => p && line.high[i] !== null && [p, [px(line.x[i]), py(line.high[i])]])).map((run) => "M" + [...run.map((p) => p[0]), ...run.map((p) => p[1]).reverse()].map((p) => p.map(tenth)).join("L") + "Z").join("") }));
      for (const line of shown) {
        const parts = runs(at(line, line.y));
        plot.append(shape("path", { class: "line", stroke: colour(line), "stroke-dasharray": dash(line), d: parts.map((run) => "M" + run.map((p) => p.map(tenth)).join("L")).join("") }));
        for (const run of parts) if (run.length === 1 || line.x.length <= 12) for (const p of run) plot.append(shape("circle", { cx: p[0], cy: p[1], r: 3, fill: colour(line) }));
      }
      if (data.level) plot.append(shape("text", { class: "over", x: right - 4, y: py(data.level.y) - 4, "text-anchor": "end" }, text(data.level.name)));
      view = { shown, px, py, left, right, top, bottom, width, all: [...new Set(shown.flatMap((line) => line.x))].sort((a, b) => a - b) };
      const cursor = shape("g", { class: "pointer" });
      plot.append(cursor);
      view.cursor = cursor;
      point(state.at);
    }
    const tenth = (value) => Math.round(value * 10) / 10;
    function runs(points) {
      const parts = [[]];
      for (const p of points) if (p) parts[parts.length - 1].push(p); else if (parts[parts.length - 1].length) parts.push([]);
      return parts.filter((run) => run.length);
    }

    function point(x) {
      state.at = x;
      tip.replaceChildren();
      if (!view) return;
      view.cursor.replaceChildren();
      if (x === null) return;
      x = nearest(view.all, x);
      state.at = x;
      const found = view.shown.map((line) => [line, line.x.indexOf(x)]).filter((pair) => pair[1] >= 0).map(([line, i]) => ({ line, y: line.y[i] })).sort((a, b) => (b.y === null ? -Infinity : b.y) - (a.y === null ? -Infinity : a.y));
      view.cursor.append(shape("path", { class: "cursor", d: `M${view.px(x)} ${view.top}V${view.bottom}` }));
      for (const { line, y } of found) if (y !== null) view.cursor.append(shape("circle", { cx: view.px(x), cy: view.py(y), r: 4, fill: colour(line) }));
      tip.append(element("strong", {}, text(data.x) + " = " + named(x)));
      for (const { line, y } of found.slice(0, MOST_LINES_IN_TIP)) {
        const swatch = shape("svg", { class: "swatch", viewBox: "0 0 28 12", "aria-hidden": "true" }, shape("path", { d: "M0 6H28", fill: "none", "stroke-width": 3, stroke: colour(line), "stroke-dasharray": dash(line) }));
        tip.append(element("div", {}, swatch, isolated(name(line)), element("span", {}, y === null ? text(words.zero) : short(y))));
      }
      if (found.length > MOST_LINES_IN_TIP) tip.append(element("div", {}, text(words.more).replace("#", found.length - MOST_LINES_IN_TIP)));
      place(tip, view.px(x), plot.offsetTop || controls.offsetHeight, view.width);
    }
    plot.addEventListener("pointermove", (event) => { if (view) point(under(event)); });
    plot.addEventListener("pointerdown", (event) => { if (view) point(under(event)); });
    plot.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") point(null); });
    plot.addEventListener("blur", () => point(null));
    plot.addEventListener("keydown", (event) => {
      if (!view) return;
      const here = state.at === null ? -1 : view.all.indexOf(state.at);
      const step = { ArrowRight: 1, ArrowLeft: -1, PageUp: 10, PageDown: -10 }[event.key];
      const target = event.key === "Home" ? 0 : event.key === "End" ? view.all.length - 1 : step ? Math.min(Math.max(here + step, 0), view.all.length - 1) : null;
      if (event.key === "Escape") point(null);
      else if (target === null) return;
      else point(view.all[target]);
      event.preventDefault();
    });
    function under(event) {
      const where = plot.getBoundingClientRect();
      const at = ((event.clientX - where.left) * view.width) / where.width;
      return view.all.reduce((best, x) => (Math.abs(view.px(x) - at) < Math.abs(view.px(best) - at) ? x : best), view.all[0]);
    }
    return { refresh, draw };
  }
  const nearest = (values, x) => values.reduce((best, value) => (Math.abs(value - x) < Math.abs(best - x) ? value : best), values[0]);
  function place(tip, x, y, width) {
    tip.style.top = y + 12 + "px";
    const left = x > width / 2;
    tip.style.left = left ? "" : x + 12 + "px";
    tip.style.right = left ? width - x + 12 + "px" : "";
  }

  // Colours of a logarithm between two levels.
  function shade(value, low, high) {
    if (value === null) return "rgb(0 0 0)";
    const at = Math.min(Math.max((value - low) / (high - low), 0), 1) * (CIVIDIS.length - 1);
    const i = Math.min(Math.floor(at), CIVIDIS.length - 2);
    return "rgb(" + CIVIDIS[i].map((from, j) => Math.round(from + (CIVIDIS[i + 1][j] - from) * (at - i))).join(" ") + ")";
  }
  const ink = (value, low, high) => (value !== null && (value - low) / (high - low) > 0.55 ? "#111" : "#fff");
  function scale(data, colour = (at) => shade(at, 0, 1)) {
    const bar = element("canvas", { width: 160, height: 12, "aria-hidden": "true" });
    const brush = bar.getContext("2d");
    for (let i = 0; i < 160; i++) { brush.fillStyle = colour(i / 159); brush.fillRect(i, 0, 1, 12); }
    const end = (value) => (Number.isInteger(value) ? short(value) : short(Number(value.toPrecision(3))));
    return element("div", { class: "scale" }, element("b", {}, (data.clipped ? "≤ " : "") + end(data.low)), bar, element("b", {}, end(data.high)), element("span", {}, text(data.measure)));
  }

  // A map of a sequence: a square for each pair of steps, and the words that reach a word.
  function map(box, data, caption) {
    const count = data.times.length;
    const canvas = element("canvas", { class: "plot", tabindex: "0", role: "img" });
    const tip = element("div", { class: "tip", role: "status", "aria-live": "polite" });
    const strip = element("div", { class: "words", role: "toolbar" });
    const said = element("p", { class: "said", role: "status", "aria-live": "polite" });
    const bar = element("div");
    box.append(strip, said, canvas, tip, bar);
    let cell = 1, here = null, chosen = count - 1;
    // Of a character of several bytes the first one has its name: it stands once, at its last byte.
    const named = (i) => { while (i > 0 && !data.tokens[i]) i--; return data.tokens[i]; };
    const token = (i) => (data.tokens && named(i) ? " ‘" + named(i) + "’" : "");
    const word = (i) => (data.tokens && named(i)) || String(data.times[i]);

    data.times.forEach((_, i) => {
      if (data.tokens && (i === 0 || data.tokens[i + 1] === "")) return;
      const button = element("button", { type: "button", tabindex: i === chosen ? "0" : "-1", "data-place": i, "aria-label": data.times[i] + token(i), click: () => choose(i), mouseenter: () => choose(i), focus: () => choose(i) }, isolated(word(i)));
      strip.append(button);
    });
    strip.addEventListener("keydown", (event) => {
      const buttons = [...strip.children], at = buttons.findIndex((button) => Number(button.dataset.place) === chosen);
      const target = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
      if (target === undefined) return;
      event.preventDefault();
      if (buttons[target]) buttons[target].focus();
    });
    function choose(i) {
      chosen = i;
      for (const button of strip.children) {
        const k = Number(button.dataset.place), value = k <= i ? data.rows[i][k] : null;
        button.classList.toggle("after", k > i);
        button.style.background = shade(value, data.low, data.high);
        button.style.color = ink(value, data.low, data.high);
        button.setAttribute("aria-pressed", String(k === i));
        button.tabIndex = k === i ? 0 : -1;
      }
      let reached = i;
      while (reached > 0 && data.rows[i][reached - 1] !== null && data.rows[i][reached - 1] >= data.level) reached--;
      said.textContent = text(data.reach).replace("#t", data.times[i] + token(i)).replace("#k", data.times[reached] + token(reached)).replace("#n", data.times[i] - data.times[reached]);
    }
    function draw() {
      const ratio = window.devicePixelRatio || 1, side = Math.max(Math.min(box.clientWidth - 8, 430), 200), left = 34, top = 4;
      cell = (side - left - 10) / count;
      canvas.width = side * ratio; canvas.height = (side - left + 26) * ratio;
      canvas.style.width = side + "px"; canvas.style.height = side - left + 26 + "px";
      canvas.setAttribute("aria-label", text(caption) + "; " + text(words.chart_keys));
      const brush = canvas.getContext("2d");
      brush.scale(ratio, ratio);
      const style = getComputedStyle(root);
      for (let i = 0; i < count; i++) for (let k = 0; k <= i; k++) {
        brush.fillStyle = shade(data.rows[i][k], data.low, data.high);
        brush.fillRect(left + k * cell, top + i * cell, cell + 0.6, cell + 0.6);
      }
      brush.strokeStyle = "#e3421f"; brush.lineWidth = 1.5; brush.beginPath();
      const above = (i, k) => k >= 0 && k <= i && i < count && data.rows[i][k] !== null && data.rows[i][k] >= data.level;
      for (let i = 0; i < count; i++) for (let k = 0; k <= i; k++) {
        if (k && above(i, k) !== above(i, k - 1)) { brush.moveTo(left + k * cell, top + i * cell); brush.lineTo(left + k * cell, top + (i + 1) * cell); }
        if (i > k && above(i, k) !== above(i - 1, k)) { brush.moveTo(left + k * cell, top + i * cell); brush.lineTo(left + (k + 1) * cell, top + i * cell); }
      }
      brush.stroke();
      brush.fillStyle = "#7d7d7d"; brush.font = "11px system-ui, sans-serif";
      brush.textAlign = "right";
      const every = Math.max(Math.ceil(count / 8), 1);
      for (let i = count - 1; i >= 0; i -= every) brush.fillText(data.times[i], left - 4, top + (i + 0.5) * cell + 4);
      brush.textAlign = "center";
      for (let k = count - 1; k >= 0; k -= every) brush.fillText(data.times[k], left + (k + 0.5) * cell, top + count * cell + 14);
      brush.fillText("k", left + count * cell / 2, top + count * cell + 14 + 8); brush.fillText("t", 6, top + count * cell / 2);
      if (here) { brush.strokeStyle = style.getPropertyValue("--ink"); brush.lineWidth = 2; brush.strokeRect(left + here[1] * cell, top + here[0] * cell, cell, cell); }
      bar.replaceChildren(scale(data));
      choose(chosen);
    }
    function point(i, k) {
      here = i === null ? null : [i, k];
      tip.replaceChildren();
      if (here) {
        tip.append(element("strong", {}, power(data.rows[i][k])), element("br"), isolated(text(words.from_to).replace("#k", data.times[k] + token(k)).replace("#t", data.times[i] + token(i))));
        place(tip, 34 + k * cell, canvas.offsetTop + i * cell * 0.6, canvas.clientWidth);
      }
      draw();
    }
    function under(event) {
      const where = canvas.getBoundingClientRect();
      const k = Math.floor((event.clientX - where.left - 34) / cell), i = Math.floor((event.clientY - where.top - 4) / cell);
      if (k < 0 || i >= count || k > i || i < 0) return here && point(null);
      if (!here || here[0] !== i || here[1] !== k) point(i, k);
    }
    canvas.addEventListener("pointermove", under);
    canvas.addEventListener("pointerdown", under);
    canvas.addEventListener("pointerleave", () => here && point(null));
    canvas.addEventListener("blur", () => here && point(null));
    canvas.addEventListener("keydown", (event) => {
      const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (event.key === "Escape") point(null);
      else if (!move) return;
      else {
        const [i, k] = here || [count - 1, 0];
        const row = Math.min(Math.max(i + (here ? move[0] : 0), 0), count - 1);
        point(row, Math.min(Math.max(k + (here ? move[1] : 0), 0), row));
      }
      event.preventDefault();
    });
    return { refresh: draw, draw };
  }

  // A plane: a value for each pair of two axes.
  function plane(box, data, caption) {
    const plot = shape("svg", { class: "plot", tabindex: "0", role: "img" });
    const tip = element("div", { class: "tip", role: "status", "aria-live": "polite" });
    const bar = element("div");
    box.append(plot, tip, bar);
    let here = null, view = null;
    const colour = (value) => (data.neutral === null ? shade(value, data.low, data.high) : sided((value - data.neutral) / (data.high - data.neutral)));
    function draw() {
      const width = Math.max(Math.min(box.clientWidth, 620), 260), height = Math.round(width * 0.6), left = 60, right = width - 12, top = 8, bottom = height - 42;
      const w = (right - left) / data.xs.length, h = (bottom - top) / data.ys.length;
      view = { left, top, w, h, width };
      plot.replaceChildren();
      plot.setAttribute("viewBox", `0 0 ${width} ${height}`);
      plot.style.maxWidth = width + "px";
      plot.setAttribute("aria-label", text(caption) + "; " + text(words.chart_keys));
      data.rows.forEach((row, j) => row.forEach((value, i) => {
        if (value !== null) plot.append(shape("rect", { x: left + i * w, y: bottom - (j + 1) * h, width: w + 0.5, height: h + 0.5, fill: colour(value) }));
      }));
      const every = (count, room) => Math.max(Math.ceil(count / room), 1);
      data.xs.forEach((x, i) => { if (i % every(data.xs.length, width / 60) === 0) plot.append(shape("text", { x: left + (i + 0.5) * w, y: bottom + 17, "text-anchor": "middle" }, short(x))); });
      data.ys.forEach((y, j) => { if (j % every(data.ys.length, height / 28) === 0) plot.append(shape("text", { x: left - 6, y: bottom - (j + 0.5) * h + 4, "text-anchor": "end" }, short(y))); });
      plot.append(shape("path", { class: "axis", d: `M${left} ${top}V${bottom}H${right}` }));
      plot.append(shape("text", { x: (left + right) / 2, y: height - 6, "text-anchor": "middle" }, text(data.x)), shape("text", { transform: `translate(12 ${(top + bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, text(data.y)));
      if (here) plot.append(shape("rect", { x: left + here[0] * w, y: bottom - (here[1] + 1) * h, width: w, height: h, fill: "none", stroke: "var(--ink)", "stroke-width": 2 }));
      bar.replaceChildren(scale(data, data.neutral === null ? undefined : (at) => sided(2 * at - 1)));
    }
    function point(i, j) {
      here = i === null ? null : [i, j];
      tip.replaceChildren();
      draw();
      if (!here) return;
      const value = data.rows[j][i];
      tip.append(element("strong", {}, text(data.measure) + " = " + (value === null ? "–" : short(value))), element("br"), isolated(text(data.x) + " = " + short(data.xs[i]) + ", " + text(data.y) + " = " + short(data.ys[j])));
      place(tip, view.left + i * view.w, 0, view.width);
    }
    function under(event) {
      const where = plot.getBoundingClientRect(), ratio = view.width / where.width;
      const i = Math.floor(((event.clientX - where.left) * ratio - view.left) / view.w);
      const j = data.ys.length - 1 - Math.floor(((event.clientY - where.top) * ratio - view.top) / view.h);
      if (i < 0 || j < 0 || i >= data.xs.length || j >= data.ys.length) return here && point(null);
      if (!here || here[0] !== i || here[1] !== j) point(i, j);
    }
    plot.addEventListener("pointermove", under);
    plot.addEventListener("pointerdown", under);
    plot.addEventListener("pointerleave", () => here && point(null));
    plot.addEventListener("blur", () => here && point(null));
    plot.addEventListener("keydown", (event) => {
      const move = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
      if (event.key === "Escape") point(null);
      else if (!move) return;
      else {
        const [i, j] = here || [0, 0];
        point(Math.min(Math.max(i + (here ? move[0] : 0), 0), data.xs.length - 1), Math.min(Math.max(j + (here ? move[1] : 0), 0), data.ys.length - 1));
      }
      event.preventDefault();
    });
    return { refresh: draw, draw };
  }
  // Blue below the neutral value, red above it.
  function sided(at) {
    const end = at < 0 ? [33, 102, 172] : [178, 24, 43], much = Math.min(Math.abs(at), 1);
    return "rgb(" + end.map((each) => Math.round(247 + (each - 247) * much)).join(" ") + ")";
  }

  // Charts.
  const KINDS = { lines, map, plane };
  for (const figure of document.querySelectorAll(".chart")) {
    const data = content.charts[Number(figure.dataset.chart)];
    const caption = { en: null };
    for (const language of ["en", "zh"]) {
      const own = figure.querySelector("figcaption [lang=" + language + "]");
      caption[language] = (own || figure.querySelector("figcaption")).textContent;
    }
    const chart = KINDS[data.kind](figure.querySelector(".drawing"), data, caption);
    charts.push(Object.assign(chart, { figure, drawn: false }));
  }
  function refresh(chart) { chart.drawn = true; chart.refresh(); }
  const drawn = () => charts.filter((chart) => chart.drawn);
  if (window.IntersectionObserver) {
    const watch = new IntersectionObserver((seen) => {
      for (const one of seen) if (one.isIntersecting) {
        watch.unobserve(one.target);
        refresh(charts.find((chart) => chart.figure === one.target));
      }
    }, { rootMargin: "100% 0%" });
    charts.forEach((chart) => watch.observe(chart.figure));
  } else charts.forEach(refresh);
  window.addEventListener("beforeprint", () => charts.filter((chart) => !chart.drawn).forEach(refresh));
  let width = window.innerWidth;
  window.addEventListener("resize", () => { if (window.innerWidth !== width) { width = window.innerWidth; drawn().forEach((chart) => chart.draw()); } });
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  if (dark.addEventListener) dark.addEventListener("change", () => drawn().forEach((chart) => chart.draw()));

  // Languages.
  const titles = document.querySelectorAll("h1 [lang]");
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => {
      root.lang = button.dataset.language;
      for (const other of document.querySelectorAll("[data-language]")) other.setAttribute("aria-pressed", String(other === button));
      for (const labelled of document.querySelectorAll("[data-label-" + root.lang + "]")) labelled.setAttribute("aria-label", labelled.getAttribute("data-label-" + root.lang));
      for (const title of titles) if (title.lang === root.lang) document.title = title.textContent;
      drawn().forEach((chart) => chart.refresh());
    });
  }

  // Buttons.
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", () => {
      const source = document.getElementById(button.dataset.copy), range = document.createRange();
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      if (document.execCommand("copy")) button.textContent = text(words.copied);
    });
  }
  const download = document.getElementById("download");
  if (download && window.DecompressionStream) {
    download.hidden = false;
    download.addEventListener("click", async () => {
      const packed = Uint8Array.from(atob(document.getElementById("report").textContent), (letter) => letter.charCodeAt(0));
      const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
      const address = URL.createObjectURL(new Blob([await new Response(stream).arrayBuffer()], { type: "application/json" }));
      element("a", { href: address, download: download.dataset.name }).click();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
    });
  }
  root.dataset.ready = String(Math.round(performance.now()));
})();
