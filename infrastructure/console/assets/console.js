// Keeps the figures of an open page up to date, and makes it usable by keys. Pages work without it.
"use strict";

const state = document.getElementById("state");

function say(text, tone = "") {
  state.textContent = text;
  state.dataset.tone = tone;
}

// ── live figures ────────────────────────────────────────────────────────────────────────────────

// Other figures are as wide as the first ones: a table keeps its columns while it is open.
function fix(table) {
  table.style.tableLayout = "";
  const cells = [...table.tHead.rows[0].cells];
  const widths = cells.map((cell) => cell.getBoundingClientRect().width);
  cells.forEach((cell, at) => { cell.style.width = `${widths[at]}px`; });
  table.style.tableLayout = "fixed";
}

function free(table) {
  table.style.tableLayout = "";
  for (const cell of table.tHead.rows[0].cells) cell.style.width = "";
}

function keepWidths() {
  const tables = [...document.querySelectorAll("table")].filter((table) => table.querySelector(".live"));
  tables.forEach(fix);
  let waiting;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => tables.forEach((table) => { free(table); fix(table); }), 100);
  });
}

function figures() {
  return new Map([...document.querySelectorAll("[data-live]")].map((one) => [one.dataset.live, one]));
}

function show(changed) {
  const shown = figures();
  for (const [key, [html, tone]] of Object.entries(changed)) {
    const figure = shown.get(key);
    if (figure && (figure.innerHTML !== html || figure.dataset.tone !== tone)) {
      const worse = figure.dataset.tone !== tone;
      figure.innerHTML = html; // made and escaped by the server, as the page is
      figure.dataset.tone = tone;
      figure.classList.remove("new");
      void figure.offsetWidth;
      figure.classList.toggle("new", worse);
    }
  }
}

let source = null;
let others = false;

function follow() {
  source = new EventSource(location.href);
  source.addEventListener("open", () => say(others ? "Rows have changed" : "Live"));
  source.addEventListener("error", () => say("Not live: no answer", "bad"));
  source.addEventListener("lost", (event) => say(`Not live: ${JSON.parse(event.data)}`, "bad"));
  source.addEventListener("figures", (event) => {
    show(JSON.parse(event.data));
    say(others ? "Rows have changed" : "Live");
  });
  source.addEventListener("rows", (event) => {
    const now = new Set(JSON.parse(event.data));
    const then = figures();
    others = now.size !== then.size || [...then.keys()].some((key) => !now.has(key));
  });
}

function pause() {
  if (source) {
    source.close();
    source = null;
    say("Paused");
  } else {
    follow();
  }
}

const streams = "streams" in document.body.dataset;
if (streams) {
  keepWidths();
  follow();
  addEventListener("pagehide", () => source && source.close());
  addEventListener("pageshow", (event) => event.persisted && source && follow());
}

// ── keys ────────────────────────────────────────────────────────────────────────────────────────

const help = document.getElementById("help");
const keys = document.getElementById("keys");
keys.hidden = false;
keys.addEventListener("click", () => help.showModal());

let going = false;
let row = -1;

function step(by) {
  const rows = [...document.querySelectorAll("main tbody tr, main .timeline > li, main .tree li")]
    .filter((one) => one.querySelector("a"));
  if (!rows.length) return;
  row = Math.max(0, Math.min(rows.length - 1, row + by));
  rows[row].querySelector("a").focus();
}

function click(selector) {
  const found = document.querySelector(selector);
  if (found) found.click();
}

const does = {
  "?": () => help.showModal(),
  "/": () => { const field = document.querySelector("main input:not([type=hidden]), main select"); if (field) field.focus(); },
  "j": () => step(1),
  "k": () => step(-1),
  "n": () => click("[data-page=next]"),
  "p": () => click("[data-page=first]"),
  "g": () => { going = true; setTimeout(() => { going = false; }, 1500); },
};

addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea, dialog");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (going && event.key !== "g") {
    going = false;
    click(`.top a[data-key="${CSS.escape(event.key)}"]`);
    event.preventDefault();
  } else if (event.key === " " && streams && !event.target.closest("a, button, summary, [tabindex='0']")) {
    pause();
    event.preventDefault();
  } else if (does[event.key]) {
    does[event.key]();
    event.preventDefault();
  }
});

// ── forms ───────────────────────────────────────────────────────────────────────────────────────

// A second click while the first is under way does nothing. The server refuses it, too.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", () => {
    for (const button of form.querySelectorAll("button")) setTimeout(() => { button.disabled = true; });
  });
}
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("form[method=post] button")) button.disabled = false;
});
