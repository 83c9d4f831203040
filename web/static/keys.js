// The page works without this; with it, by the keys that are named at its foot.
"use strict";
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const at = document.activeElement;
  if (event.key === "Escape" && at instanceof HTMLElement) { at.blur(); return; }
  if (at && (/^(INPUT|SELECT|TEXTAREA)$/).test(at.tagName)) return;
  const links = [...document.querySelectorAll(".hits h2 a")];
  const place = links.indexOf(at);
  const go = (rel) => document.querySelector(`a[rel=${rel}]`)?.click();
  const does = {
    "/": () => { const box = document.getElementById("q"); if (box) { box.focus(); box.select(); } else location.href = "/"; },
    j: () => links[Math.min(place + 1, links.length - 1)]?.focus(),
    k: () => links[Math.max(place - 1, 0)]?.focus(),
    n: () => go("next"),
    p: () => go("prev"),
  }[event.key];
  if (does) { event.preventDefault(); does(); }
});
document.getElementById("here")?.scrollIntoView({ block: "center" });
