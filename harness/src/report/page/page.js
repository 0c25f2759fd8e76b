"use strict";
// Shows the scenarios. All that comes from a run becomes text, and never markup.
const { texts, scenarios } = JSON.parse(document.getElementById("data").textContent);
const STEP = 200;
const list = document.getElementById("list");
const more = document.getElementById("more");
const search = document.getElementById("search");
const order = document.getElementById("order");
const boxes = [...document.querySelectorAll("[name=verdict]")];
const found = document.getElementById("found");

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

function seconds(milliseconds) {
  return (milliseconds / 1000).toFixed(milliseconds < 10000 ? 2 : 1) + " s";
}

// What the search looks at, made when it is first needed.
function haystack(scenario) {
  if (scenario.words === undefined) {
    const parts = [scenario.l, scenario.s, scenario.a[0], ...scenario.c];
    for (const broken of scenario.x) parts.push(broken.k, ...broken.c);
    scenario.words = parts.map((part) => texts[part]).join("\n").toLowerCase();
  }
  return scenario.words;
}

let shown = [];
let count = 0;

function select() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const verdicts = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
  shown = [];
  scenarios.forEach((scenario, number) => {
    if (verdicts.has(texts[scenario.v]) && words.every((word) => haystack(scenario).includes(word))) shown.push(number);
  });
  if (order.value === "name") shown.sort((a, b) => texts[scenarios[a].l].localeCompare(texts[scenarios[b].l]));
  if (order.value === "time") shown.sort((a, b) => scenarios[b].t - scenarios[a].t);
  count = 0;
  list.replaceChildren();
  found.textContent = shown.length + " of " + scenarios.length;
  grow();
}

function grow() {
  const next = shown.slice(count, count + STEP);
  list.append(...next.map(row));
  count += next.length;
  more.hidden = count >= shown.length;
  more.textContent = "Show more (" + (shown.length - count) + ")";
}

function row(number) {
  const scenario = scenarios[number];
  const verdict = texts[scenario.v];
  const button = element(
    "button",
    { type: "button", "aria-expanded": "false", "aria-controls": "d" + number },
    element("span", { class: "verdict " + verdict }, verdict),
    element("span", { class: "name" }, texts[scenario.l]),
    element("span", { class: "summary" }, texts[scenario.s]),
    element("span", { class: "time" }, seconds(scenario.t)),
  );
  const detail = element("div", { class: "detail", id: "d" + number });
  detail.hidden = true;
  button.addEventListener("click", () => toggle(button, detail, scenario, detail.hidden));
  return element("article", { class: "scenario", id: "s" + number }, element("h3", null, button), detail);
}

function toggle(button, detail, scenario, open) {
  if (open && !detail.hasChildNodes()) detail.append(...details(scenario));
  detail.hidden = !open;
  button.setAttribute("aria-expanded", String(open));
}

function details(scenario) {
  const parts = [];
  const text = (place) => texts[place];
  const where = text(scenario.a[0]) + ":" + scenario.a[1];
  const covers = scenario.c.length ? ", covers " + scenario.c.map(text).join(", ") : "";
  const stages = scenario.g.map(([stage, took]) => text(stage) + " " + seconds(took)).join(", ");
  parts.push(element("p", { class: "place" }, where + covers + (stages ? "; " + stages : "")));
  if (scenario.f) {
    parts.push(element("h4", null, "Inconclusive"), element("pre", null, text(scenario.f[0])));
    if (scenario.f[1] !== null) parts.push(element("p", null, "hint: " + text(scenario.f[1])));
  }
  for (const broken of scenario.x) parts.push(assertion(broken));
  if (scenario.n.length) {
    parts.push(element("h4", null, "Not run"), element("ul", null, ...scenario.n.map((why) => element("li", null, text(why)))));
  }
  const failed = ["fail", "error"].includes(text(scenario.v));
  for (const [title, lines] of scenario.o) {
    if (lines.length) parts.push(element("h4", null, text(title)), ...log(lines.map(text), scenario.x, failed));
  }
  if (scenario.h.length) {
    const held = scenario.h.map(([check, file, line]) =>
      element("li", null, text(check) + " ", element("span", { class: "place" }, text(file) + ":" + line)),
    );
    parts.push(element("details", null, element("summary", null, held.length + " assertions held"), element("ul", { class: "held" }, ...held)));
  }
  if (text(scenario.r)) parts.push(element("h4", null, "Reproduce"), command(text(scenario.r)));
  return parts;
}

function assertion(broken) {
  const [expected, got] = [texts[broken.e], texts[broken.g]];
  const clauses = broken.c.map((clause) => texts[clause]).join(", ");
  const level = texts[broken.l];
  return element(
    "div",
    { class: "assertion " + level.toLowerCase() },
    element("p", null, element("strong", null, texts[broken.k]), clauses ? " - " + level + " " + clauses : " - " + level),
    element("p", { class: "place" }, texts[broken.a[0]] + ":" + broken.a[1]),
    element(
      "dl",
      { class: "compare" },
      element("dt", null, "expected"),
      element("dd", null, element("pre", null, ...differing(expected, got))),
      element("dt", null, "got"),
      element("dd", null, element("pre", null, ...differing(got, expected))),
    ),
  );
}

// A text with the part marked in which it differs from another, where they begin or end alike.
function differing(text, other) {
  let begin = 0;
  while (begin < text.length && begin < other.length && text[begin] === other[begin]) begin += 1;
  let end = 0;
  while (end < text.length - begin && end < other.length - begin && text[text.length - 1 - end] === other[other.length - 1 - end]) end += 1;
  if (begin + end < 3 || begin + end === text.length) return [text];
  return [text.slice(0, begin), element("mark", null, text.slice(begin, text.length - end)), text.slice(text.length - end)];
}

// A log, its phases folded: the last one is open, and any with a line that a broken assertion speaks of.
function log(lines, broken, failed) {
  const told = new Set(broken.flatMap((one) => (texts[one.e] + "\n" + texts[one.g]).split("\n")).map((line) => line.trim()).filter((line) => line.length > 3));
  const patterns = broken.flatMap((one) => pattern(texts[one.k]));
  // Where the assertion quotes the log at length, that marks nothing.
  if (lines.filter((line) => told.has(line.trim())).length * 2 > lines.length) told.clear();
  const hit = (line) => told.has(line.trim()) || (line.length < 2000 && patterns.some((one) => one.test(line)));
  const phases = [];
  for (const line of lines) {
    if (!phases.length || /^(Step \d+\/\d+ : | -----> )/.test(line)) phases.push([]);
    phases[phases.length - 1].push(line);
  }
  return phases.map((phase, number) => {
    const marked = (line) => (hit(line) ? element("span", { class: "hit" }, line) : line + "\n");
    if (phases.length === 1 || phase.length === 1) return element("pre", { tabindex: "0" }, ...phase.map(marked));
    const [first, ...rest] = phase;
    const title = element("summary", { class: hit(first) ? "hit" : "" }, first + " (" + rest.length + (rest.length === 1 ? " line)" : " lines)"));
    const fold = element("details", null, title, element("pre", { tabindex: "0" }, ...rest.map(marked)));
    fold.open = (failed && number === phases.length - 1) || phase.some(hit);
    return fold;
  });
}

// The pattern in a check's name, as in `container log without /x/`.
function pattern(check) {
  const [, source] = /\/(.+)\//.exec(check) || [];
  if (!source || !/log|output/.test(check)) return [];
  try {
    return [new RegExp(source, "u")];
  } catch {
    return [];
  }
}

function command(text) {
  const button = element("button", { type: "button", class: "copy" }, "Copy");
  const pre = element("pre", null, text);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(pre);
    }
  });
  return element("div", { class: "reproduce" }, pre, button);
}

// Opens the scenario that the address names.
function follow() {
  const [, digits] = /^#s(\d+)$/.exec(location.hash) || [];
  const number = Number(digits);
  if (digits === undefined || !scenarios[number]) return;
  if (!shown.includes(number)) {
    search.value = "";
    for (const box of boxes) box.checked = true;
    select();
  }
  while (!document.getElementById("s" + number) && count < shown.length) grow();
  const article = document.getElementById("s" + number);
  const button = article.querySelector("button");
  toggle(button, article.querySelector(".detail"), scenarios[number], true);
  article.scrollIntoView();
  button.focus({ preventScroll: true });
}

const table = document.getElementById("clauses");
if (table) {
  const [words, level, state] = ["clause-search", "level", "state"].map((id) => document.getElementById(id));
  const rows = [...table.tBodies[0].rows];
  const sift = () => {
    const word = words.value.toLowerCase();
    for (const one of rows) {
      one.hidden =
        (level.value && one.dataset.level !== level.value) ||
        (state.value && one.dataset.state !== state.value) ||
        !one.textContent.toLowerCase().includes(word);
    }
    document.getElementById("clauses-found").textContent = rows.filter((one) => !one.hidden).length + " of " + rows.length;
  };
  document.getElementById("clause-filter").hidden = false;
  document.getElementById("clause-filter").addEventListener("input", sift);
  document.getElementById("clause-filter").addEventListener("submit", (event) => event.preventDefault());
  // A clause leads to the scenarios that cover it.
  table.addEventListener("click", (event) => {
    const clause = event.target.dataset && event.target.dataset.clause;
    if (!clause) return;
    event.preventDefault();
    search.value = clause;
    select();
    document.getElementById("scenarios").scrollIntoView();
    search.focus({ preventScroll: true });
  });
  sift();
}

const form = document.getElementById("filter");
form.hidden = false;
form.addEventListener("input", select);
form.addEventListener("submit", (event) => event.preventDefault());
more.addEventListener("click", grow);
addEventListener("hashchange", follow);
addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.closest("input, select, textarea")) {
    event.preventDefault();
    search.focus();
  }
});
select();
follow();
