"use strict";
// The arithmetic of the page, without anything that is shown. All sizes are BigInt: nothing is rounded.

let undefinedHere = false; // whether there was a division by zero since the last reset

/** The mathematical floor of a/b; BigInt's own division truncates towards zero. */
function fl(a, b) {
  if (b === 0n) {
    undefinedHere = true;
    return 0n;
  }
  const q = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? q - 1n : q;
}

/** The largest of its arguments. */
function mx(...sizes) {
  return sizes.reduce((a, b) => (b > a ? b : a));
}

const RELATIONS = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

/** The first condition that fails at these sizes; null where all hold. */
function firstFailure(network, sizes) {
  for (const condition of network.conditions) {
    const [node, left, relation, right, says, code] = condition;
    const [a, b] = [sizes[left], sizes[right]];
    if (RELATIONS[relation](a, b)) continue;
    const stretches = code === "broadcast" && (a === 1n || b === 1n);
    return { node, says, left: a, relation, right: b, stretches };
  }
  return null;
}

/** All sizes at the values of the controls, and the first condition that fails. */
function evaluate(network, values) {
  undefinedHere = false;
  const sizes = network.formulas(values);
  let failure = firstFailure(network, sizes);
  if (failure === null && undefinedHere) failure = { node: -1, says: null, stretches: false };
  return { sizes, failure };
}

const isLegal = (network, values) => evaluate(network, values).failure === null;

// ---- exact sets: [stretches below a start, the start, the modulus, the residues from there on]

const modulo = (a, m) => ((a % m) + m) % m;

function inSet(set, n) {
  const [early, start, modulus, residues] = set;
  if (n >= BigInt(start)) return residues.includes(Number(n % BigInt(modulus)));
  return early.some(([first, last]) => BigInt(first) <= n && n <= BigInt(last));
}

/** The least number in a set that is not below n; null where there is none. */
function firstFrom(set, n) {
  const [early, start, modulus, residues] = set;
  for (const [first, last] of early) {
    if (n <= BigInt(last)) return n > BigInt(first) ? n : BigInt(first);
  }
  if (residues.length === 0) return null;
  const from = n > BigInt(start) ? n : BigInt(start);
  const m = BigInt(modulus);
  return residues.map((r) => from + modulo(BigInt(r) - from, m)).reduce((a, b) => (a < b ? a : b));
}

/** The greatest number in a set that is not above n, and at least 1; null where there is none. */
function lastUntil(set, n) {
  const [early, start, modulus, residues] = set;
  const m = BigInt(modulus);
  const late = residues.map((r) => n - modulo(n - BigInt(r), m)).filter((k) => k >= BigInt(start) && k >= 1n);
  if (late.length) return late.reduce((a, b) => (a > b ? a : b));
  for (const [first, last] of [...early].reverse()) {
    if (BigInt(first) <= n) return n < BigInt(last) ? n : BigInt(last);
  }
  return null;
}

const inRegion = (boxes, point) => boxes.some((box) => box.every((set, axis) => inSet(set, point[axis])));

const distance = (a, b) => a.reduce((sum, n, axis) => sum + (n > b[axis] ? n - b[axis] : b[axis] - n), 0n);

/** The nearest point of a region none of whose sizes is above (or, with `up`, below) those of a point. */
function neighbour(boxes, point, up) {
  const step = up ? firstFrom : lastUntil;
  const found = boxes
    .map((box) => box.map((set, axis) => step(set, point[axis])))
    .filter((near) => near.every((n) => n !== null));
  if (found.length === 0) return null;
  return found.reduce((a, b) => (distance(b, point) < distance(a, point) ? b : a));
}

// ---- the nearest legal sizes

const FARTHEST = 128n; // how far the search goes where there is no exact set
const MOST_TRIED = 4000;

function withSizes(network, values, point) {
  const changed = [...values];
  network.sizes.names.forEach((name, axis) => {
    changed[network.controls.findIndex((control) => control.name === name)] = point[axis];
  });
  return changed;
}

const sizesOf = (network, values) =>
  network.sizes.names.map((name) => values[network.controls.findIndex((control) => control.name === name)]);

/** Whether everything but the sizes and the batch has the values for which the exact sets were computed. */
function atOwnParameters(network, values) {
  const moving = ["size", "batch"];
  return network.controls.every((one, i) => moving.includes(one.role) || values[i] === BigInt(one.default));
}

/** The nearest legal sizes, each checked before it is offered. */
function nearest(network, values) {
  const point = sizesOf(network, values);
  if (point.length === 0) return { exact: true, found: [] };
  const isExact = network.sizes.anew !== null && atOwnParameters(network, values);
  const found = isExact
    ? [false, true].map((up) => neighbour(network.sizes.anew, point, up))
    : [false, true].map((up) => searched(network, values, point, up));
  const fitting = found.filter((near) => near !== null && isLegal(network, withSizes(network, values, near)));
  return { exact: isExact, found: fitting };
}

/** Search outwards from a point, the nearest first: along each axis alone, then along all of them. */
function searched(network, values, point, up) {
  const sign = up ? 1n : -1n;
  const axes = [...point.map((_, axis) => [axis]), point.map((_, axis) => axis)];
  let tried = 0;
  for (let by = 1n; by <= FARTHEST && tried < MOST_TRIED; by += 1n) {
    for (const moved of axes) {
      const near = point.map((n, axis) => (moved.includes(axis) ? n + sign * by : n));
      if (near.some((n) => n < 1n)) continue;
      tried += 1;
      if (isLegal(network, withSizes(network, values, near))) return near;
    }
  }
  return null;
}

/** Whether weights made for the default sizes accept the current sizes, and the nearest that they accept. */
function asBuilt(network, values) {
  const { names, built } = network.sizes;
  const point = sizesOf(network, values);
  if (built === null || names.length === 0 || !atOwnParameters(network, values)) return null;
  const below = neighbour(built, point, false);
  const above = neighbour(built, point, true);
  return { accepts: inRegion(built, point), found: [below, above].filter((near) => near !== null) };
}

// ---- writing

/** A number with a comma after every three digits. */
const grouped = (n) => n.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");

/** A text with numbers in place of marks such as `{17}`. */
function filled(text, sizes) {
  return text.replace(/\{(\d+)\}/g, (_, index) => grouped(sizes[Number(index)]));
}

/** Bytes in KiB, MiB, GiB or TiB, rounded to one digit. */
function memory(bytes) {
  for (const [unit, scale] of [["TiB", 1n << 40n], ["GiB", 1n << 30n], ["MiB", 1n << 20n], ["KiB", 1n << 10n]]) {
    if (bytes >= scale) {
      const tenths = (bytes * 10n + scale / 2n) / scale;
      return `${grouped(tenths / 10n)}.${tenths % 10n} ${unit}`;
    }
  }
  return `${bytes} bytes`;
}

/** A share in percent, rounded to one digit. */
function share(part, total) {
  if (part === 0n || total === 0n) return "";
  const tenths = (part * 2000n + total) / (total * 2n);
  return `${tenths / 10n}.${tenths % 10n}`;
}
