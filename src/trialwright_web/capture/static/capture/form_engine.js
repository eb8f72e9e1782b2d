// What a form amounts to while it is typed: which items are asked, what is computed, what the checks ask.
// The same order of steps as trial/capture/saving.py, over the same expressions; the server's answer is what counts.
// Entries: item name (item, item.2, …) -> {value, why}: value is a number in the item's first unit, a boolean, a text,
// an ISO date (partial where allowed), or null; why is a missing reason, "" where nothing was entered.

const numbered = (name, row) => (row === 1 ? name : `${name}.${row}`);
const split = (name) => {
  const [item, row] = name.split(".");
  return [item, row ? Number(row) : 1];
};

export function evaluate(rules, entries, outside) {
  const rows = startedRows(rules, entries);
  const state = { rules, outside, rows, values: new Map(Object.entries(entries)), contradicted: new Set(), computed: new Set() };
  // A condition may read what is computed here; a chain is no longer than the form has items.
  for (let round = 0; round <= Object.keys(rules.items).length; round += 1) {
    const before = JSON.stringify([...state.values]);
    applyConditions(state);
    derive(state);
    if (JSON.stringify([...state.values]) === before) break;
  }
  return { values: state.values, computed: state.computed, findings: findings(state) };
}

function startedRows(rules, entries) {
  const rows = {};
  for (const [name, entry] of Object.entries(entries)) {
    const [item, row] = split(name);
    const rule = rules.items[item];
    if (rule?.repeats && (entry.value !== null || entry.why)) (rows[rule.group] ??= new Set()).add(row);
  }
  return rows;
}

const rowsAt = (state, rule) => (rule.repeats ? [...(state.rows[rule.group] ?? [])].sort((a, b) => a - b) : [1]);

// The row that an expression reads, and why the missing ones are missing.
function read(state, expression, row) {
  const values = {}, why = {};
  for (const key of expression.keys) {
    const own = expression.own[key];
    const repeats = own !== undefined && state.rules.items[own].repeats;
    const found = own === undefined ? state.outside[key] : state.values.get(numbered(own, repeats ? row : 1));
    values[key] = found?.value ?? null;
    if (values[key] === null) why[key] = found?.why || "not_asked";
  }
  return { values, why };
}

// Where a condition asks about something that is not applicable itself, neither is what it governs.
function isAsked(state, when, row) {
  const { values, why } = read(state, when, row);
  const answer = when.value(values);
  if (answer !== null) return answer;
  const reasons = Object.values(why);
  return reasons.length === 0 || reasons.some((reason) => reason !== "not_applicable");
}

function applyConditions(state) {
  for (const [item, rule] of Object.entries(state.rules.items)) {
    if (!rule.when || rule.derive || rule.instrument) continue;
    for (const row of rowsAt(state, rule)) {
      const name = numbered(item, row);
      const entry = state.values.get(name);
      const empty = !entry || (entry.value === null && !entry.why);
      state.contradicted.delete(name);
      if (isAsked(state, rule.when, row)) {
        if (state.computed.has(name)) {
          state.computed.delete(name);
          state.values.set(name, { value: null, why: "" });
        }
      } else if (empty || state.computed.has(name)) {
        state.computed.add(name);
        state.values.set(name, { value: null, why: "not_applicable" });
      } else if (entry.value !== null) state.contradicted.add(name);
    }
  }
}

function derive(state) {
  for (const item of state.rules.order) {
    const rule = state.rules.items[item];
    if (!rule.derive) continue; // an instrument: the server's last answer stands
    for (const row of rowsAt(state, rule)) {
      const name = numbered(item, row);
      state.computed.add(name);
      const asked = !rule.when || isAsked(state, rule.when, row);
      state.values.set(name, asked ? derived(state, rule, row) : { value: null, why: "not_applicable" });
    }
  }
}

function derived(state, rule, row) {
  const { values, why } = read(state, rule.derive.of, row);
  const found = rule.derive.of.value(values);
  if (found === null) return { value: null, why: Object.values(why)[0] ?? "unknown" };
  if (typeof found !== "number") return { value: found, why: "" };
  const [numerator, denominator, shift] = rule.derive.factor;
  const text = rounded((found * numerator) / denominator + shift, rule.derive.decimals);
  return { value: Number(text), why: "", text };
}

// Decimal text of a number, ties away from zero, from its shortest decimal form.
export function rounded(number, decimals) {
  const [mantissa, exponent] = Math.abs(number).toExponential().split("e");
  const digits = mantissa.replace(".", "");
  const scale = digits.length - 1 - Number(exponent); // number = digits / 10 ** scale
  let whole = BigInt(digits);
  if (scale > decimals) {
    const unit = 10n ** BigInt(scale - decimals);
    whole = (whole + unit / 2n) / unit;
  } else whole *= 10n ** BigInt(decimals - scale);
  const text = String(whole).padStart(decimals + 1, "0");
  const point = text.length - decimals;
  const shown = decimals ? `${text.slice(0, point)}.${text.slice(point)}` : text;
  return number < 0 ? `-${shown}` : shown;
}

function findings(state) {
  const found = [];
  for (const [name, entry] of state.values) {
    const rule = state.rules.items[split(name)[0]];
    if (!rule || rule.derive || rule.instrument) continue;
    if (state.contradicted.has(name)) found.push({ check: "condition", item: name });
    const size = typeof entry.value === "number" && !entry.outcome ? sizeOf(rule, entry.value) : "usual";
    if (size !== "usual") found.push({ check: size, item: name });
  }
  for (const check of state.rules.checks) {
    const first = state.rules.items[check.items[0]];
    for (const row of rowsOf(state, check)) {
      if (check.condition.value(read(state, check.condition, row).values) === false) {
        found.push({ check: check.id, item: first.repeats ? numbered(check.items[0], row) : check.items[0] });
      }
    }
  }
  return found;
}

export function sizeOf(rule, value) {
  for (const [low, high, size] of rule.limits) {
    if ((low !== null && value < low) || (high !== null && value > high)) return size;
  }
  return "usual";
}

function rowsOf(state, check) {
  for (const key of check.condition.keys) {
    const own = check.condition.own[key];
    if (own !== undefined && state.rules.items[own].repeats) return rowsAt(state, state.rules.items[own]);
  }
  return [1];
}
