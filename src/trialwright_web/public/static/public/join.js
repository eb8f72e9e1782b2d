// "Can I join?" on this device: asks one question at a time, judges by the script that the study's criteria were
// compiled to, and sends nothing. Answers live in this page only.
(() => {
  "use strict";
  const form = document.getElementById("screener");
  if (!form || typeof trialwrightPrescreener === "undefined") return;
  const words = JSON.parse(document.getElementById("words").textContent);
  const questions = [...form.querySelectorAll(".question")];
  const byFact = new Map(questions.map((question) => [question.dataset.fact, question]));
  const result = document.getElementById("result");
  const verdicts = document.getElementById("verdicts");
  const lines = [...verdicts.querySelectorAll(".verdict")];
  const go = document.getElementById("go");
  const before = document.getElementById("before");
  let row = {}, why = {}, order = [];
  let now = null;
  // Each answer is a step that the browser's own Back takes back. The browser is told a number, never an answer.
  const steps = [];
  let at = 0;

  const inputsOf = (question) => [...question.querySelectorAll("input")];
  const firstOf = (question) => inputsOf(question).find((input) => input.checked) ?? inputsOf(question)[0];
  const isChoice = (question) => ["boolean", "code"].includes(question.dataset.type);

  // {value} or {unknown} or null for what is no answer
  const read = (question) => {
    if (isChoice(question)) {
      const chosen = inputsOf(question).find((input) => input.checked);
      if (!chosen) return null;
      if (chosen.value === "?") return { unknown: true };
      return { value: question.dataset.type === "boolean" ? chosen.value === "yes" : chosen.value };
    }
    const text = inputsOf(question)[0].value.trim().replace(",", ".");
    if (question.dataset.type === "date") return /^\d{4}(-\d{2}(-\d{2})?)?$/.test(text) ? { value: text } : null;
    const wanted = question.dataset.type === "integer" ? /^-?\d{1,4}$/ : /^-?\d{1,12}(\.\d{1,6})?$/;
    return wanted.test(text) ? { value: Number(text) } : null;
  };

  const complain = (question, text) => {
    const error = question.querySelector(".field-error");
    error.textContent = text;
    error.hidden = text === "";
    inputsOf(question).forEach((input) => {
      if (text) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    });
    if (text) inputsOf(question)[0].focus();
  };

  const keep = (fact, answer) => {
    if (!order.includes(fact)) order.push(fact);
    row[fact] = answer.unknown ? null : answer.value;
    if (answer.unknown) why[fact] = "asked_unknown";
    else delete why[fact];
  };

  const forget = (fact) => {
    order.splice(order.indexOf(fact), 1);
    delete row[fact];
    delete why[fact];
  };

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  const show = (judged, focus) => {
    questions.forEach((question) => question.classList.toggle("now", question.dataset.fact === now));
    go.hidden = now === null;
    let fit = 0, open = 0, against = 0;
    for (const line of lines) {
      const verdict = judged.verdicts[line.dataset.criterion];
      const pill = line.querySelector(".verdict-pill");
      const key = { true: "True", false: "False", null: "None" }[String(verdict.fits)];
      pill.textContent = words.fits[key];
      pill.dataset.tone = { True: "good", False: "bad", None: "warn" }[key];
      line.querySelector(".verdict-why").textContent = verdict.waits ? words.waits[verdict.waits] : "";
      fit += verdict.fits === true;
      open += verdict.fits === null;
      against += verdict.fits === false;
      const asked = line.dataset.asks.split(" ").filter((fact) => order.includes(fact));
      line.querySelector(".change").hidden = asked.length === 0;
      line.querySelector(".change").dataset.fact = asked[0] ?? "";
    }
    // What speaks against joining comes first: nobody should have to look for it among thirty rules.
    const speaksAgainst = (line) => judged.verdicts[line.dataset.criterion].fits === false;
    lines[0]?.parentElement.append(...lines.filter(speaksAgainst), ...lines.filter((line) => !speaksAgainst(line)));
    const none = order.length === 0;
    result.hidden = none;
    verdicts.hidden = none;
    document.getElementById("after").hidden = none;
    const done = now === null;
    result.dataset.tone = against ? "warn" : done ? "good" : "info";
    result.querySelector(".result-title").textContent = against ? words.probablyNot : done ? words.might : words.asking;
    result.querySelector(".result-text").textContent =
      (against ? words.probablyNotSo + " " : done ? words.mightSo + " " : "") + fill(words.left, { fit, open });
    before.hidden = at === 0;
    if (focus && now !== null) firstOf(byFact.get(now)).focus({ preventScroll: false });
    if (focus && done) { result.tabIndex = -1; result.focus(); }
  };

  const remember = () => {
    steps[at] = { row: { ...row }, why: { ...why }, order: [...order], now };
    steps.length = at + 1;
  };

  const further = () => {
    at += 1;
    remember();
    history.pushState({ step: at }, "");
  };

  addEventListener("popstate", (event) => {
    const kept = steps[event.state?.step];
    if (!kept) return;
    at = event.state.step;
    [row, why, order, now] = [{ ...kept.row }, { ...kept.why }, [...kept.order], kept.now];
    questions.forEach((question) => complain(question, ""));
    show(trialwrightPrescreener.judge(row, why), true);
  });

  const step = (focus = true) => {
    const judged = trialwrightPrescreener.judge(row, why);
    now = judged.next;
    if (focus) further();
    show(judged, focus);
  };

  const answer = () => {
    const question = byFact.get(now);
    const found = read(question);
    complain(question, found ? "" : isChoice(question) ? words.answerWanted : words.numberWanted);
    if (!found) return;
    keep(now, found);
    step();
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (now !== null) answer();
  });
  for (const button of form.querySelectorAll(".not-known")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const question = button.closest(".question");
      complain(question, "");
      inputsOf(question)[0].value = "";
      keep(question.dataset.fact, { unknown: true });
      step();
    });
  }
  for (const line of lines) {
    const end = document.createElement("div");
    const change = document.createElement("button");
    end.className = "verdict-end";
    change.type = "button";
    change.className = "link-button change";
    change.textContent = words.change;
    change.setAttribute("aria-label", words.change + ": " + line.querySelector("p").textContent);
    change.addEventListener("click", () => {
      forget(change.dataset.fact);
      now = change.dataset.fact;
      further();
      show(trialwrightPrescreener.judge(row, why), true);
    });
    end.append(line.querySelector(".verdict-pill"), change);
    line.append(end);
  }
  document.getElementById("print").addEventListener("click", () => window.print());
  document.getElementById("again").addEventListener("click", () => {
    form.reset();
    [...order].forEach(forget);
    step();
  });
  form.classList.add("one-by-one");
  form.removeAttribute("action");
  form.removeAttribute("method");
  document.getElementById("stays").hidden = false;
  go.textContent = words.go;
  before.addEventListener("click", () => history.back());
  step(false);
  remember();
  history.replaceState({ step: 0 }, "");
})();
