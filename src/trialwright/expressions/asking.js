// Which question to ask next, in the browser: the same rule as asking.py, over the trees of to_javascript_questions.
// It needs `trialwright` of runtime.js in scope. `why` says of keys without a value why they have none.
const trialwrightAsking = (() => {
  "use strict";
  const WORTH_ASKING = new Set(["not_asked", "not_done", "unknown"]);
  const UNUSABLE = "unusable";
  const has = (row, key) => Object.prototype.hasOwnProperty.call(row, key) && row[key] !== null;
  const least = (price) => Math.min(price.yes, price.no);
  const swap = (price) => ({ yes: price.no, no: price.yes });

  // key -> why, of everything that keeps the node from having a value
  const reasons = (node, row, why, found) => {
    if (node.value(row) !== null) return found;
    if (node.kind === "input") found.set(node.key, has(row, node.key) ? UNUSABLE : why[node.key] ?? "not_asked");
    // All is known below and still there is no value: a division by zero, or a date that is not known to the day.
    else if (node.below.every((part) => part.value(row) !== null)) found.set("", UNUSABLE);
    node.below.forEach((part) => reasons(part, row, why, found));
    return found;
  };

  const swapped = (prices) => ({
    least: swap(prices.least),
    questions: new Map([...prices.questions].map(([key, price]) => [key, swap(price)])),
  });

  // One yes is enough, a no takes them all.
  const disjunction = (below) => {
    const no = (parts) => parts.reduce((sum, part) => sum + part.least.no, 0);
    const questions = new Map();
    below.forEach((part, place) => {
      const others = no(below.filter((_, other) => other !== place));
      for (const [key, price] of part.questions) {
        const before = questions.get(key) ?? { yes: Infinity, no: Infinity };
        questions.set(key, { yes: Math.min(before.yes, price.yes), no: Math.min(before.no, price.no + others) });
      }
    });
    return { least: { yes: Math.min(...below.map((part) => part.least.yes)), no: no(below) }, questions };
  };

  const leaf = (node, row, why, costs) => {
    const found = reasons(node, row, why, new Map());
    const never = { yes: Infinity, no: Infinity };
    if ([...found.values()].some((reason) => !WORTH_ASKING.has(reason))) {
      return { least: never, questions: new Map() };
    }
    const total = [...found.keys()].reduce((sum, key) => sum + (costs[key] ?? 1), 0);
    const price = { yes: total, no: total };
    return { least: price, questions: new Map([...found.keys()].map((key) => [key, price])) };
  };

  const prices = (node, row, why, costs) => {
    const value = node.value(row);
    if (value !== null) return { least: value ? { yes: 0, no: Infinity } : { yes: Infinity, no: 0 }, questions: new Map() };
    const below = () => node.below.map((part) => prices(part, row, why, costs));
    switch (node.kind) {
      case "not": return swapped(below()[0]);
      case "some": return disjunction(below());
      case "every": return swapped(disjunction(below().map(swapped)));
      default: return leaf(node, row, why, costs);
    }
  };

  // The key to ask for next, or null when nothing needs to be or can be asked.
  const next = (criteria, row, why, costs) => {
    const worth = new Map();
    for (const criterion of criteria) {
      const value = criterion.value(row);
      if (value === false) return null;
      if (value !== null) continue;
      for (const [key, price] of prices(criterion, row, why, costs).questions) {
        worth.set(key, (worth.get(key) ?? 0) + 1 / least(price));
      }
    }
    let best = null;
    for (const [key, value] of worth) if (value > (best === null ? 0 : worth.get(best))) best = key;
    return best;
  };

  return { next };
})();
