"use strict";

// Numbers stand before words and missing values last, whichever way a column is sorted.
function cellOf(row, column) {
  const text = row.cells[column].textContent.trim();
  const number = Number(text.split(" ± ")[0]);
  return { text, number, kind: text === "" ? 2 : Number.isNaN(number) ? 1 : 0 };
}

function sort(table, column, descending) {
  const heads = [...table.tHead.rows[0].cells];
  const numeric = heads[column].classList.contains("number");
  const sign = descending ? -1 : 1;
  const rows = [...table.tBodies[0].rows].map((row, place) => ({ row, place, cell: cellOf(row, column) }));
  rows.sort((a, b) => {
    if ((a.cell.kind === 2) !== (b.cell.kind === 2)) return a.cell.kind - b.cell.kind;
    if (numeric && a.cell.kind !== b.cell.kind) return a.cell.kind - b.cell.kind;
    const order = numeric && a.cell.kind === 0
      ? a.cell.number - b.cell.number
      : a.cell.text.localeCompare(b.cell.text, "en", { numeric: true });
    return sign * order || a.place - b.place;
  });
  table.tBodies[0].append(...rows.map((entry) => entry.row));
  heads.forEach((head, place) =>
    head.setAttribute("aria-sort", place !== column ? "none" : descending ? "descending" : "ascending"));
}

function columnOf(table, name) {
  return [...table.tHead.rows[0].cells].findIndex((head) => head.textContent.trim() === name);
}

function remember(hash) {
  history.replaceState(null, "", hash);
}

for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const descending = head.getAttribute("aria-sort") === "ascending";
      sort(table, column, descending);
      const words = [table.id, head.textContent.trim(), descending ? "desc" : "asc"].map(encodeURIComponent);
      remember(`#sort=${words.join(":")}`);
    });
  });
}

const viewer = document.getElementById("viewer");
const thumbs = [...document.querySelectorAll(".thumb")];
let shown = -1;

function show(place) {
  shown = (place + thumbs.length) % thumbs.length;
  const { large, caption } = thumbs[shown].dataset;
  viewer.querySelector("img").src = large;
  viewer.querySelector("img").alt = thumbs[shown].querySelector("img").alt;
  viewer.querySelector("p").textContent = caption;
  if (!viewer.open) viewer.showModal();
  remember(`#open=${encodeURIComponent(thumbs[shown].id)}`);
}

thumbs.forEach((thumb, place) => thumb.addEventListener("click", () => show(place)));
for (const button of viewer.querySelectorAll("[data-step]")) {
  button.addEventListener("click", () => show(shown + Number(button.dataset.step)));
}
viewer.addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") show(shown - 1);
  if (event.key === "ArrowRight") show(shown + 1);
});
viewer.addEventListener("click", (event) => { if (event.target === viewer) viewer.close(); });
viewer.addEventListener("close", () => {
  remember("#" + (thumbs[shown] ? thumbs[shown].closest("section").id : ""));
  if (thumbs[shown]) thumbs[shown].focus();
});

// A link may ask for a table in some order, or for a picture: #sort=TABLE:COLUMN:desc, #open=PICTURE.
function follow() {
  const [verb, words] = location.hash.slice(1).split("=");
  if (words === undefined) {
    const target = document.getElementById(verb);
    if (target && target.tagName === "DETAILS") target.open = true;
    return;
  }
  let parts;
  try { parts = words.split(":").map(decodeURIComponent); } catch { return; }
  if (verb === "sort") {
    const table = document.getElementById(parts[0]);
    if (!table || !table.tHead) return;
    const column = columnOf(table, parts[1]);
    if (column < 0) return;
    sort(table, column, parts[2] === "desc");
    const drawer = table.closest("details");
    if (drawer) drawer.open = true;
    table.scrollIntoView();
  }
  if (verb === "open") {
    const place = thumbs.findIndex((thumb) => thumb.id === parts[0]);
    if (place >= 0) show(place);
  }
}

window.addEventListener("hashchange", follow);
window.addEventListener("beforeprint", () => {
  for (const drawer of document.querySelectorAll("details")) drawer.open = true;
});
follow();
