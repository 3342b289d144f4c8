// What is shown: the controls, the table and the derivations. Everything is computed in the part above.

const byId = (id) => document.getElementById(id);

/** Make an element with attributes, properties and children. */
function make(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

const ROLES = { size: "input size", batch: "batch size", channels: "input channels", parameter: "parameter" };
const SIGNS = { "==": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥" };
const LARGEST = 10n ** 18n;
const OPEN_UP_TO = 40; // rows; a longer table starts folded

const DEFAULTS = NETWORK.controls.map((control) => BigInt(control.default));
const values = [...DEFAULTS];
const rows = NETWORK.rows.map((row) => ({ ...row }));
const opened = new Set(); // the rows whose derivation is shown

// ---- controls

function addControls() {
  NETWORK.controls.forEach((control, index) => {
    const id = `control-${control.name}`;
    const hint = make("span", { class: "role", id: `${id}-role` }, ROLES[control.role]);
    const number = make("input", {
      id,
      type: "text",
      inputmode: "numeric",
      autocomplete: "off",
      spellcheck: "false",
      value: control.default,
      "aria-describedby": `${id}-role ${id}-error`,
      oninput: (event) => typed(index, event.target.value),
      onkeydown: (event) => stepped(event, index),
    });
    const most = BigInt(control.default) * 4n > 16n ? BigInt(control.default) * 4n : 16n;
    const slider = make("input", {
      type: "range",
      min: control.least,
      max: most,
      step: "1",
      value: control.default,
      "aria-label": `${control.name}, slider`,
      oninput: (event) => set(index, BigInt(event.target.value)),
    });
    const error = make("span", { class: "wrong", id: `${id}-error`, role: "alert" });
    const label = make("label", { for: id }, control.name, " ", hint);
    byId("controls").append(make("div", { class: "control" }, label, number, slider, error));
  });
  byId("reset").addEventListener("click", () => {
    DEFAULTS.forEach((number, index) => put(index, number));
    update();
  });
  for (const [name, value, why] of NETWORK.fixed) {
    byId("fixed-list").append(make("li", {}, make("code", {}, `${name} = ${value}`), `: ${why}`));
  }
  byId("fixed").hidden = NETWORK.fixed.length === 0;
}

const control = (index) => byId(`control-${NETWORK.controls[index].name}`);

/** Read an input: an integer from the least on; anything else is reported and changes nothing. */
function typed(index, text) {
  const { least } = NETWORK.controls[index];
  const plain = text.trim().replaceAll(",", "");
  const number = /^\d{1,19}$/.test(plain) ? BigInt(plain) : null;
  const fits = number !== null && number >= BigInt(least) && number <= LARGEST;
  control(index).setAttribute("aria-invalid", fits ? "false" : "true");
  byId(`${control(index).id}-error`).textContent = fits ? "" : `an integer from ${least} to 10^18`;
  if (fits) set(index, number);
}

/** The arrow keys count by one, with Page Up and Page Down by ten. */
function stepped(event, index) {
  const by = { ArrowUp: 1n, ArrowDown: -1n, PageUp: 10n, PageDown: -10n }[event.key];
  if (by === undefined) return;
  event.preventDefault();
  const next = values[index] + by;
  const least = BigInt(NETWORK.controls[index].least);
  const kept = next < least ? least : next > LARGEST ? LARGEST : next;
  put(index, kept);
  update();
}

function put(index, number) {
  values[index] = number;
  const field = control(index);
  const plain = number.toString();
  if (field.value.trim().replaceAll(",", "") !== plain) field.value = plain;
  field.setAttribute("aria-invalid", "false");
  byId(`${field.id}-error`).textContent = "";
  const slider = field.nextElementSibling;
  if (slider.value !== plain) slider.value = plain;
}

function set(index, number) {
  put(index, number);
  update();
}

// ---- the table

function addRows() {
  const trail = [];
  rows.forEach((row, index) => {
    trail.length = row.depth;
    row.above = [...trail];
    trail.push(index);
    row.open = rows.length <= OPEN_UP_TO;
    const times = row.times > 1 ? ` ×${row.times}` : "";
    const button = make(
      "button",
      { type: "button", "aria-expanded": "false", class: row.parent ? "fold" : "layer", onclick: () => pressed(index) },
      `${row.label}${times}`,
    );
    const name = make("th", { scope: "row" }, button);
    if (row.parent && row.node !== null) name.append(why(index));
    name.style.setProperty("--depth", row.depth);
    row.cells = ["kernel", "output", "params", "macs", "share", "bytes"].map((part) => make("td", { class: part }));
    const kind = row.kind === row.label ? "" : row.kind;
    row.line = make("tr", { class: row.parent ? "part" : "leaf" }, name, make("td", { class: "kind" }, kind), ...row.cells);
    row.button = button;
    byId("rows").append(row.line);
  });
  byId("unfold").addEventListener("click", () => foldAll(true));
  byId("fold").addEventListener("click", () => foldAll(false));
  fold();
}

/** The button that derives a merge; its name folds the branches. */
function why(index) {
  const attributes = { type: "button", class: "why", "aria-expanded": "false", onclick: () => derive(index) };
  return (rows[index].derives = make("button", { ...attributes, "aria-label": `derive ${rows[index].label}` }, "how"));
}

function pressed(index) {
  const row = rows[index];
  if (!row.parent) return derive(index);
  row.open = !row.open;
  fold();
}

function foldAll(open) {
  for (const row of rows) row.open = open;
  fold();
}

function fold() {
  rows.forEach((row, index) => {
    row.line.hidden = row.above.some((above) => !rows[above].open);
    if (row.detail) row.detail.hidden = row.line.hidden;
    if (row.parent) row.button.setAttribute("aria-expanded", String(row.open));
    else row.button.setAttribute("aria-expanded", String(opened.has(index)));
    if (row.derives) row.derives.setAttribute("aria-expanded", String(opened.has(index)));
  });
}

// ---- derivations

function derive(index) {
  const row = rows[index];
  if (row.node === null) return;
  if (opened.delete(index)) {
    row.detail.remove();
    row.detail = null;
  } else {
    opened.add(index);
    const id = `derivation-${index}`;
    row.detail = make("tr", { class: "derivation", id }, make("td", { colspan: "8" }));
    row.line.after(row.detail);
    (row.derives || row.button).setAttribute("aria-controls", id);
    showDerivation(row, current);
  }
  fold();
}

function showDerivation(row, { sizes, failure }) {
  const derivation = NETWORK.derivations[row.node];
  const cell = row.detail.firstElementChild;
  if (failure !== null && failure.node <= row.node) {
    cell.replaceChildren(make("p", {}, "No numbers: the network does not hold up to this layer."));
    return;
  }
  const list = make("dl", {});
  for (const [label, steps] of derivation.blocks) {
    list.append(make("dt", {}, label));
    for (const step of steps) {
      const texts = step.map((text) => filled(NETWORK.texts[text], sizes));
      const parts = texts.filter((text, i) => text !== texts[i - 1]);
      const lines = parts.map((part, i) => make("span", {}, i ? ` = ${part}` : part));
      list.append(make("dd", {}, ...lines));
    }
  }
  const title = derivation.path.endsWith(derivation.kind) ? derivation.path : `${derivation.path}: ${derivation.kind}`;
  cell.replaceChildren(make("h3", {}, title), list);
}

// ---- totals and status

let current = null;

const shapeText = (indices, sizes) => indices.map((index) => grouped(sizes[index])).join(" × ");

function update() {
  current = evaluate(NETWORK, values);
  const { sizes, failure } = current;
  const { totals } = NETWORK;
  for (const row of rows) {
    const holds = failure === null || row.last < failure.node;
    const fails = failure !== null && row.first <= failure.node && failure.node <= row.last;
    row.line.classList.toggle("fails", fails);
    row.line.classList.toggle("beyond", !holds && !fails);
    const atLeast = row.complete ? "" : "≥ ";
    const cells = holds
      ? [
          filled(row.kernel, sizes),
          row.output === null ? "" : shapeText(row.output, sizes),
          row.shared ? "(shared)" : grouped(sizes[row.params]),
          row.macs === null ? "not counted" : atLeast + grouped(sizes[row.macs]),
          row.macs === null || failure !== null ? "" : share(sizes[row.macs], sizes[totals.macs]),
          row.bytes === null ? "" : memory(sizes[row.bytes]),
        ]
      : [filled(row.kernel, sizes), fails ? "does not fit" : "–", "–", "–", "", "–"];
    row.cells.forEach((cell, i) => {
      if (cell.textContent !== cells[i]) cell.textContent = cells[i];
    });
    if (row.detail) showDerivation(row, current);
  }
  showTotals(sizes, failure);
  showStatus(sizes, failure);
  byId("picture")?.classList.toggle("moved", values.some((number, index) => number !== DEFAULTS[index]));
}

function showTotals(sizes, failure) {
  const { totals, outputs, inputs, notCounted } = NETWORK;
  const atLeast = notCounted.length ? "at least " : "";
  const several = Object.keys(outputs).length > 1;
  const named = Object.entries(outputs).map(([name, shape]) =>
    several ? `${name} ${shapeText(shape, sizes)}` : shapeText(shape, sizes),
  );
  const trainable = sizes[totals.trainable];
  const notes = [];
  if (trainable !== sizes[totals.params]) notes.push(`${grouped(trainable)} trainable`);
  if (sizes[totals.buffers] !== 0n) notes.push(`${grouped(sizes[totals.buffers])} more in buffers`);
  const texts = {
    "total-input": Object.values(inputs).map((shape) => shapeText(shape, sizes)).join("; "),
    "total-output": named.join("; "),
    "total-params": grouped(sizes[totals.params]),
    "note-params": [memory(sizes[totals.weights]), ...notes].join("; "),
    "total-macs": atLeast + grouped(sizes[totals.macs]),
    "note-macs": `${atLeast}${grouped(sizes[totals.macs] * 2n)} FLOPs`,
  };
  for (const [id, text] of Object.entries(texts)) {
    byId(id).textContent = failure === null || id === "total-input" ? text : id.startsWith("note") ? "" : "–";
  }
}

function showStatus(sizes, failure) {
  const box = byId("status");
  box.className = failure === null ? "legal" : failure.stretches ? "unknown" : "illegal";
  const parts = [];
  if (failure === null) parts.push(make("p", {}, make("strong", {}, "Legal."), " Every layer accepts its input."));
  else parts.push(...failureText(sizes, failure));
  parts.push(...asBuiltText(failure));
  box.replaceChildren(...parts);
}

function failureText(sizes, failure) {
  const path = failure.node < 0 ? "The network" : NETWORK.paths[failure.node];
  if (failure.says === null) {
    return [make("p", {}, make("strong", {}, "Not legal."), " A size would be divided by zero.")];
  }
  const says = filled(NETWORK.texts[failure.says], sizes);
  const { left, right, relation } = failure;
  const needs = `needed: ${grouped(left)} ${SIGNS[relation]} ${grouped(right)}`;
  if (failure.stretches) {
    const reason =
      " A map of one pixel would be broadcast here. The closed forms exclude this case: use `shapecalc show` for it.";
    return [make("p", {}, make("strong", {}, "Not known."), " At ", make("code", {}, path), ":", reason)];
  }
  const line = make("p", {}, make("strong", {}, "Not legal. "), make("code", {}, path), " rejects its input.");
  const reason = make("p", { class: "reason" }, says, make("span", { class: "needed" }, ` (${needs})`));
  const { exact, found } = nearest(NETWORK, values);
  const words = exact ? "Nearest legal:" : "Legal nearby:";
  return [line, reason, ...offered(words, found, "No legal input size was found near: move another control.")];
}

/** Buttons that set legal sizes. */
function offered(words, found, none) {
  const { names } = NETWORK.sizes;
  if (found.length === 0) return none ? [make("p", {}, none)] : [];
  const buttons = found.map((point) => {
    const text = point.map((n, axis) => `${names[axis]} = ${grouped(n)}`).join(", ");
    return make("button", { type: "button", onclick: () => take(point) }, text);
  });
  return [make("p", { class: "offers" }, `${words} `, ...buttons)];
}

function take(point) {
  withSizes(NETWORK, values, point).forEach((number, index) => put(index, number));
  update();
}

/** Whether weights made for the default sizes accept the current sizes. */
function asBuiltText(failure) {
  const answer = asBuilt(NETWORK, values);
  const built = NETWORK.sizes.names.map((name) => {
    const found = NETWORK.controls.find((one) => one.name === name);
    return `${name} = ${grouped(BigInt(found.default))}`;
  });
  const isMoved = sizesOf(NETWORK, values).some((n, axis) => n !== sizesOf(NETWORK, DEFAULTS)[axis]);
  if (answer === null || failure !== null || !isMoved) return [];
  const made = `Weights made for ${built.join(", ")}`;
  if (answer.accepts) return [make("p", { class: "built" }, `${made} accept this size too.`)];
  const causes = NETWORK.sizes.imposed.map(([path, relation]) => `${path} needs ${relation}`);
  const text = `${made} do not accept this size${causes.length ? `: ${causes.slice(0, 3).join("; ")}` : ""}.`;
  const message = make("p", { class: "built" }, text);
  return [message, ...offered("They accept", answer.found, "")];
}

addControls();
addRows();
update();
