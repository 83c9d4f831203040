// The search of an archive: it reads the chunks of the index that have the words asked for, and nothing else.
"use strict";
const chunks = {};
function chunk(name, told) { chunks[name] = told; }
function load(name) {
  if (name in chunks) return Promise.resolve();
  return new Promise((done) => {
    const script = document.createElement("script");
    script.src = `site/search/${name}.js`;
    script.onload = script.onerror = () => { chunks[name] ??= {}; done(); };
    document.head.append(script);
  });
}
const DENSE = "\\u1100-\\u11ff\\u3040-\\u30ff\\u3130-\\u318f\\u31f0-\\u31ff\\u3400-\\u9fff\\uac00-\\ud7af\\uf900-\\ufaff";
const RUN = new RegExp(`[${DENSE}]+|(?:(?![_${DENSE}])[\\p{L}\\p{N}])+`, "gu");
const isDense = new RegExp(`^[${DENSE}]`, "u");
function runs(text) { return text.normalize("NFKC").toLowerCase().match(RUN) ?? []; }
function pairs(run) {
  if (!isDense.test(run)) return [[...run].slice(0, 40).join("")];
  const signs = [...run];
  return signs.length < 2 ? signs : signs.slice(1).map((sign, place) => signs[place] + sign);
}
function chunkOf(term) {
  const first = term.codePointAt(0);
  return first < 128 ? term[0] + (term.slice(1, 2) < "\x80" ? term.slice(1, 2) : "_") : `u${(first >> 5).toString(16)}`;
}
function asked(text) {
  return [...text.matchAll(/([+-]?)(?:'([^']+)'|"([^"]+)"|(\S+))/g)].flatMap(([, sign, one, two, word]) => {
    const phrase = one ?? two;
    const parts = runs(phrase ?? word).flatMap(pairs);
    return parts.length ? [{ sign, parts, runs: runs(phrase ?? word) }] : [];
  });
}
function postings(term) {
  // A word of letters stands for those that it begins, too; a pair of signs for itself.
  const told = chunks[`words-${chunkOf(term)}`] ?? {};
  const found = new Map();
  const dense = isDense.test(term) && [...term].length > 1;
  for (const word of dense ? [term] : Object.keys(told).filter((one) => one.startsWith(term))) {
    let at = 0;
    for (const step of Object.hasOwn(told, word) ? told[word] : []) {
      at += step;
      const worth = (at % 16) * (word === term ? 1 : 0.5);
      const document = Math.floor(at / 16);
      found.set(document, Math.max(found.get(document) ?? 0, worth));
    }
  }
  return found;
}
function having(clause, count) {
  let all = null;
  for (const part of clause.parts) {
    const these = postings(part);
    const rare = Math.log(1 + count / (1 + these.size));
    const next = new Map();
    for (const [document, worth] of these) {
      if (all === null || all.has(document)) next.set(document, (all?.get(document) ?? 0) + worth * rare / clause.parts.length);
    }
    all = next;
  }
  return all;
}
async function find(text) {
  await load("about");
  const { count, chunks: known } = chunks.about;
  const clauses = asked(text);
  const names = new Set(clauses.flatMap((clause) => clause.parts.map(chunkOf)).filter((name) => known.includes(name)));
  await Promise.all([...names].map((name) => load(`words-${name}`)));
  const sets = clauses.map((clause) => ({ ...clause, having: having(clause, count) }));
  const scores = new Map();
  for (const { sign, having: those } of sets) {
    if (sign !== "-") for (const [document, worth] of those) scores.set(document, (scores.get(document) ?? 0) + worth);
  }
  const fits = (document) => sets.every(({ sign, having: those }) => sign === "" || (sign === "+") === those.has(document));
  return [...scores].filter(([document]) => fits(document)).sort((a, b) => b[1] - a[1] || b[0] - a[0]).map(([document]) => document);
}
function marked(text, words) {
  const parts = document.createDocumentFragment();
  const low = text.toLowerCase();
  const fits = low.length === text.length;
  let at = 0;
  while (fits && at < text.length) {
    const next = words.map((word) => [low.indexOf(word, at), word.length]).filter(([place]) => place >= 0).sort((a, b) => a[0] - b[0])[0];
    if (!next) break;
    const mark = document.createElement("mark");
    mark.textContent = text.slice(next[0], next[0] + next[1]);
    parts.append(text.slice(at, next[0]), mark);
    at = next[0] + next[1];
  }
  parts.append(text.slice(at));
  return parts;
}
function element(name, kind, ...within) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.append(...within);
  return made;
}
async function show() {
  const given = new URLSearchParams(location.hash.slice(1));
  const text = given.get("q") ?? "";
  const first = Number(given.get("from") ?? 0) || 0;
  const box = document.getElementById("q");
  box.value = text;
  const place = document.getElementById("found");
  if (!text.trim()) { place.replaceChildren(); return; }
  const began = performance.now();
  const documents = await find(text);
  const { rows, words } = chunks.about;
  const shown = documents.slice(first, first + 20);
  await Promise.all([...new Set(shown.map((one) => Math.floor(one / rows)))].map((number) => load(`list${number}`)));
  const looked = asked(text).filter((clause) => clause.sign !== "-").flatMap((clause) => clause.runs);
  const hits = shown.map((one) => {
    const [number, title, status, product, path, about] = chunks[`list${Math.floor(one / rows)}`][one % rows];
    const link = element("a", "", element("span", "number", number), " ", element("bdi", "", marked(title, looked)));
    link.href = path;
    return element("li", "", element("h2", "", link), element("p", "about", ...[status, product].filter(Boolean).map((each) => element("span", "", each))),
      element("p", "snippet", marked(about, looked)));
  });
  const list = element("ol", "hits", ...hits);
  list.start = first + 1;
  const status = element("p", "count", hits.length ? words.hits.replace("{first}", first + 1).replace("{last}", first + hits.length) + ` / ${documents.length.toLocaleString()}` : words.nothing);
  status.setAttribute("role", "status");
  const pages = element("nav", "pages");
  for (const [start, word, rel] of [[first - 20, words.less, "prev"], [first + 20, words.more, "next"]]) {
    if (start < 0 || start >= documents.length) continue;
    const link = element("a", "", word);
    link.rel = rel;
    link.href = `#${new URLSearchParams({ q: text, from: start })}`;
    pages.append(link);
  }
  place.replaceChildren(status, list, pages);
  place.dataset.milliseconds = String(performance.now() - began);
}
addEventListener("hashchange", show);
addEventListener("DOMContentLoaded", () => {
  document.querySelector("form.search").addEventListener("submit", (event) => {
    event.preventDefault();
    const next = `#${new URLSearchParams({ q: document.getElementById("q").value })}`;
    if (next === location.hash) show(); else location.hash = next;
  });
  show();
});
