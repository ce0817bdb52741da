"use strict";

// A case is known by its place in `cases`; `rows` and `cards` hold its row and its picture in the gallery.
const cases = JSON.parse(document.getElementById("data").textContent);
const rows = [...document.querySelectorAll("#cases tbody tr")];
const cards = cases.map(makeCard);
let order = cases.map((_, place) => place);
let current = 0;
let shown = 0;

function find(id) {
  return document.getElementById(id);
}

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// Drawings: a picture, and over it a path for each object of each layer.

const LAYERS = ["scribble", "prediction", "truth", "box", "points"];
const COLOURS = 7;

function drawing(one, panel) {
  const picture = element("img", { src: `data:image/webp;base64,${panel.picture}`, alt: describe(one, panel) });
  const made = element("span", { className: "drawing" }, picture, overlay(one, panel));
  made.style.setProperty("--ratio", one.width / one.height);
  return made;
}

function describe(one, panel) {
  const slice = one.volume ? `, slice ${panel.z}` : "";
  return `${one.name}${slice}; drawn on it: ${LAYERS.filter((layer) => panel.layers[layer]?.length).join(", ") || "nothing"}`;
}

function overlay(one, panel) {
  const svg = svgElement("svg", { viewBox: `0 0 ${one.width} ${one.height}`, "aria-hidden": "true" });
  for (const layer of LAYERS) {
    const shapes = panel.layers[layer] ?? [];
    svg.append(svgElement("path", { class: `under ${layer}`, d: shapes.map(([, path]) => path).join("") }));
    for (const [label, path] of shapes) {
      svg.append(svgElement("path", { class: `${layer} ${colour(label)}`, d: path }));
    }
  }
  return svg;
}

function svgElement(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value);
  }
  return made;
}

function colour(label) {
  return `object-${(label - 1) % COLOURS}`;
}

// The viewer.

function show(place) {
  for (const item of [rows[current], cards[current]]) {
    item.removeAttribute("aria-current");
  }
  current = place;
  for (const item of [rows[current], cards[current]]) {
    item.setAttribute("aria-current", "true");
  }
  const one = cases[place];
  find("viewer-name").textContent = one.name;
  find("viewer-facts").textContent = one.facts;
  find("remarks").replaceChildren(...one.remarks.map((text) => element("li", { textContent: text })));
  find("objects").replaceChildren(...(one.objects.length ? [objectTable(one.objects)] : []));
  find("slices").hidden = one.panels.length < 2;
  find("slice").max = one.panels.length - 1;
  showSlice(one.shown);
}

function objectTable(objects) {
  const line = (tag, texts) => texts.map((text) => element(tag, { textContent: text }));
  const body = objects.map(([label, ...scores]) => {
    const name = element("td", {}, element("i", { className: `sample ${colour(label)}` }), `${label}`);
    return element("tr", {}, name, ...line("td", scores));
  });
  const head = element("tr", {}, ...line("th", ["Object", "DSC", "NSD"]));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
}

function showSlice(index) {
  const one = cases[current];
  const panels = one.panels;
  if (!panels.length) {
    find("picture").replaceChildren(element("p", { className: "none", textContent: "This case cannot be shown." }));
    return;
  }
  shown = Math.min(Math.max(index, 0), panels.length - 1);
  find("picture").replaceChildren(drawing(one, panels[shown]));
  find("slice").value = shown;
  find("slice").setAttribute("aria-valuetext", `slice ${panels[shown].z}`);
  find("slice-name").textContent = `${panels[shown].z} (${panels[0].z} to ${panels[panels.length - 1].z})`;
}

function choose(place) {
  show(place);
  find("viewer").focus({ preventScroll: true });
  find("viewer").scrollIntoView({ block: "nearest" });
}

function step(by) {
  const next = order[order.indexOf(current) + by];
  if (next !== undefined) {
    choose(next);
    scrollTo(rows[next]);
  }
}

/** Scroll the table alone, not the page. */
function scrollTo(row) {
  const box = row.closest(".scroll");
  const head = row.closest("table").tHead.offsetHeight;
  const top = Math.min(box.scrollTop, row.offsetTop - head);
  box.scrollTop = Math.max(top, row.offsetTop + row.offsetHeight - box.clientHeight);
}

// Sorting: table, gallery and arrow keys follow one order. What is not known comes last.

function sortBy(heading) {
  const sign = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  for (const other of heading.parentElement.cells) {
    other.setAttribute("aria-sort", "none");
  }
  heading.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
  const values = rows.map((row) => row.cells[heading.cellIndex].textContent.trim());
  order.sort((a, b) => inOrder(values[a], values[b], sign) || a - b);
  for (const place of order) {
    rows[place].parentElement.append(rows[place]);
    find("gallery").append(cards[place]);
  }
}

function inOrder(a, b, sign) {
  if (!a || !b) {
    return !a - !b;
  }
  const difference = Number(a) - Number(b);
  return sign * (Number.isNaN(difference) ? a.localeCompare(b, "en") : difference);
}

// The gallery: a card is drawn when it comes near, or before printing.

function makeCard(one, place) {
  const score = rows[place].querySelector(".dsc")?.textContent;
  const quiet = element("span", { className: "quiet", textContent: score ? `DSC ${score}` : "" });
  const caption = element("span", { className: "caption" }, one.name, quiet);
  const made = element("button", { type: "button" }, element("span", { className: "frame" }), caption);
  made.dataset.case = place;
  return made;
}

function fill(card) {
  const one = cases[card.dataset.case];
  const panel = one.panels[one.shown];
  if (card.querySelector(".drawing") === null) {
    card.firstElementChild.replaceChildren(panel ? drawing(one, panel) : "cannot be shown");
  }
}

function fillWhenNear() {
  const watcher = new IntersectionObserver(
    (seen) => seen.filter((entry) => entry.isIntersecting).forEach((entry) => fill(entry.target)),
    { rootMargin: "400px" },
  );
  for (const card of cards) {
    watcher.observe(card);
  }
  addEventListener("beforeprint", () => cards.forEach(fill));
}

// Keys and buttons.

function toggleLayer(button) {
  button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") === "false");
  const hidden = document.querySelectorAll('#layers [aria-pressed="false"]');
  document.body.dataset.hidden = [...hidden].map((one) => one.dataset.layer).join(" ");
}

function onKey(event) {
  const elsewhere = event.target.matches("input") || find("help").open;
  if (event.ctrlKey || event.metaKey || event.altKey || (elsewhere && event.key.startsWith("Arrow"))) {
    return;
  }
  const layer = document.querySelector(`#layers [data-key="${CSS.escape(event.key.toLowerCase())}"]:not([hidden])`);
  const slices = find("viewer").contains(document.activeElement) && !find("slices").hidden;
  if (layer) {
    toggleLayer(layer);
  } else if (event.key === "?") {
    find("help").showModal();
  } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
    step(event.key === "ArrowRight" ? 1 : -1);
  } else if (slices && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    showSlice(shown + (event.key === "ArrowUp" ? 1 : -1));
  } else {
    return;
  }
  event.preventDefault();
}

function changeTheme() {
  const root = document.documentElement;
  const now = root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  root.dataset.theme = now === "dark" ? "light" : "dark";
}

function start() {
  find("gallery").append(...cards);
  for (const button of document.querySelectorAll("#layers button")) {
    button.hidden = !cases.some((one) => one.panels.some((panel) => panel.layers[button.dataset.layer]?.length));
    button.addEventListener("click", () => toggleLayer(button));
  }
  for (const heading of find("cases").tHead.rows[0].cells) {
    heading.firstElementChild.addEventListener("click", () => sortBy(heading));
  }
  document.addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-case]");
    if (chosen) {
      choose(Number(chosen.dataset.case));
    }
  });
  find("slice").addEventListener("input", (event) => showSlice(Number(event.target.value)));
  find("theme").addEventListener("click", changeTheme);
  find("help-button").addEventListener("click", () => find("help").showModal());
  document.addEventListener("keydown", onKey);
  fillWhenNear();
  show(0);
}

start();
