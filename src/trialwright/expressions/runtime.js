// What compiled expressions call. Null is unknown; a spread value is an array of its two ends.
// A row is an object: reference key -> number, true/false, text, "YYYY-MM-DD" (or "YYYY-MM", "YYYY" for a partial
// date), or null. Anything that is not a value of its kind is unknown from the door on.
const trialwright = (() => {
  "use strict";
  const own = (row, key) => (Object.prototype.hasOwnProperty.call(row, key) ? row[key] : null);
  const LARGEST = 1e15, SMALLEST = 1e-15;

  // Doors
  const number = (row, key) => {
    const value = own(row, key);
    if (typeof value !== "number") return null;
    const size = Math.abs(value);
    return size === 0 || (size >= SMALLEST && size <= LARGEST) ? value : null;
  };
  const text = (row, key) => {
    const value = own(row, key);
    return typeof value === "string" ? value : null;
  };
  const truth = (row, key) => {
    const value = own(row, key);
    return typeof value === "boolean" ? value : null;
  };
  const DATE = /^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$/;
  const lastDay = (month) => new Date(Date.UTC(+month.slice(0, 4), +month.slice(5, 7), 0)).getUTCDate();
  const partial = (row, key) => {
    const value = text(row, key);
    if (value === null || !DATE.test(value)) return null;
    if (value.length === 10) return [value, value];
    if (value.length === 7) return [value + "-01", value + "-" + String(lastDay(value)).padStart(2, "0")];
    return [value + "-01-01", value + "-12-31"];
  };
  const date = (row, key) => {
    const ends = partial(row, key);
    return ends === null || ends[0] !== ends[1] ? null : ends[0];
  };

  // Kleene's connectives
  const not = (a) => (a === null ? null : !a);
  const every = (...values) => (values.includes(false) ? false : values.includes(null) ? null : true);
  const some = (...values) => (values.includes(true) ? true : values.includes(null) ? null : false);

  // Single values
  const both = (f) => (a, b) => (a === null || b === null ? null : f(a, b));
  const one = (f) => (a) => (a === null ? null : f(a));
  const dayOf = (a) => Date.UTC(+a.slice(0, 4), +a.slice(5, 7) - 1, +a.slice(8, 10)) / 86400000;
  const keyOf = (a) => +a.slice(0, 4) * 10000 + +a.slice(5, 7) * 100 + +a.slice(8, 10);
  const days = (a, b) => dayOf(b) - dayOf(a);
  const years = (a, b) => Math.floor((keyOf(b) - keyOf(a)) / 10000);
  const least = (values) => values.reduce((a, b) => (b < a ? b : a));
  const greatest = (values) => values.reduce((a, b) => (b > a ? b : a));
  const all = (f) => (...values) => (values.includes(null) ? null : f(values));

  // Spread values
  const pair = one((a) => [a, a]);
  const before = (a, b) => (a[1] < b[0] ? true : a[0] >= b[1] ? false : null);
  const same = (a, b) =>
    a[1] < b[0] || b[1] < a[0] ? false : a[0] === a[1] && b[0] === b[1] ? true : null;

  return {
    number, text, truth, date, partial, not, every, some, pair,
    lt: both((a, b) => a < b), le: both((a, b) => a <= b),
    gt: both((a, b) => a > b), ge: both((a, b) => a >= b),
    eq: both((a, b) => a === b), ne: both((a, b) => a !== b),
    member: (a, options) => (a === null ? null : options.includes(a)),
    missing: (a) => a === null,
    first: (...values) => values.find((value) => value !== null) ?? null,
    add: both((a, b) => a + b), subtract: both((a, b) => a - b), multiply: both((a, b) => a * b),
    divide: both((a, b) => (b === 0 ? null : a / b)),
    negative: one((a) => -a), absolute: one(Math.abs),
    convert: (a, numerator, denominator, shift) => (a === null ? null : (a * numerator) / denominator + shift),
    min: all(least), max: all(greatest),
    days: both(days), years: both(years),
    spread: {
      lt: both(before), ge: both((a, b) => not(before(a, b))),
      gt: both((a, b) => before(b, a)), le: both((a, b) => not(before(b, a))),
      eq: both(same), ne: both((a, b) => not(same(a, b))),
      add: both((a, b) => [a[0] + b[0], a[1] + b[1]]),
      subtract: both((a, b) => [a[0] - b[1], a[1] - b[0]]),
      multiply: (a, factor) => one(([low, high]) => (factor < 0 ? [high * factor, low * factor] : [low * factor, high * factor]))(a),
      divide: (a, divisor) => one(([low, high]) => (divisor < 0 ? [high / divisor, low / divisor] : [low / divisor, high / divisor]))(a),
      negative: one(([low, high]) => [-high, -low]),
      absolute: one(([low, high]) => [Math.max(low, -high, 0), Math.max(-low, high)]),
      convert: (a, numerator, denominator, shift) =>
        a === null ? null : a.map((end) => (end * numerator) / denominator + shift),
      min: all((values) => [least(values.map((a) => a[0])), least(values.map((a) => a[1]))]),
      max: all((values) => [greatest(values.map((a) => a[0])), greatest(values.map((a) => a[1]))]),
      days: both((a, b) => [days(a[1], b[0]), days(a[0], b[1])]),
      years: both((a, b) => [years(a[1], b[0]), years(a[0], b[1])]),
      settle: one(([low, high]) => (low === high ? low : null)),
    },
  };
})();
