"use strict";
// Search, filters and order of the findings. It moves and hides rows that are in the page, and writes text only as text.
(() => {
  const list = document.getElementById("list");
  if (!list) return;
  const byId = (id) => document.getElementById(id);
  const query = byId("query"), count = byId("count"), group = byId("group");
  const selects = [...document.querySelectorAll("#controls select")];
  const heads = [...list.tHead.rows[0].cells];
  const order = ["informational", "low", "medium", "high", "critical"];
  const flat = document.createElement("tbody");
  const collator = new Intl.Collator("en", { numeric: true });

  // The groups and their rows, in the order of the page.
  const groups = [...list.tBodies].map((body) => ({ body, head: body.rows[0], rows: [...body.rows].slice(1) }));
  const findings = groups.flatMap(({ head, rows }) => rows.map((row) => {
    const details = row.querySelector("details");
    const cells = [...row.cells].slice(0, -1).map((cell) => cell.textContent);
    const said = [details.querySelector("summary"), details.querySelector("dd"), ...details.querySelectorAll(".cells")];
    const text = [head.textContent, ...cells, ...said.map((element) => element.textContent)].join(" ").toLowerCase();
    return { row, details, cells: [...cells, said[0].textContent], text, shown: true };
  }));
  let sorted = null;

  function filter() {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const finding of findings) {
      const data = finding.row.dataset;
      finding.shown = selects.every(({ value, dataset }) => value === "" || data[dataset.filter] === value)
        && words.every((word) => finding.text.includes(word));
      finding.row.hidden = !finding.shown;
    }
    for (const { body, rows } of groups) body.hidden = rows.every((row) => row.hidden);
    const shown = findings.filter((finding) => finding.shown).length;
    count.textContent = `Shown: ${shown} of ${findings.length}`;
  }

  // By a column: all in one body, each row with its user. Otherwise by user, as the page has them.
  function arrange() {
    for (const head of heads) head.removeAttribute("aria-sort");
    const grouped = sorted === null;
    group.setAttribute("aria-pressed", String(grouped));
    list.classList.toggle("grouped", grouped);
    if (grouped) {
      flat.remove();
      for (const { body, rows } of groups) body.append(...rows), list.append(body);
      return;
    }
    const { column, direction } = sorted;
    const key = (finding) => finding.cells[column];
    const compare = column === 0
      ? (one, other) => order.indexOf(key(one)) - order.indexOf(key(other))
      : (one, other) => collator.compare(key(one), key(other));
    const rows = [...findings].sort((one, other) => direction * compare(one, other)).map((finding) => finding.row);
    for (const { body } of groups) body.remove();
    flat.replaceChildren(...rows);
    list.append(flat);
    heads[column].setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
  }

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const first = column === 0 ? -1 : 1;
      const again = sorted !== null && sorted.column === column;
      sorted = { column, direction: again ? -sorted.direction : first };
      arrange();
    });
  });
  query.addEventListener("input", filter);
  for (const select of selects) select.addEventListener("change", filter);
  group.addEventListener("click", () => {
    sorted = sorted === null ? { column: 0, direction: -1 } : null;
    arrange();
  });
  byId("open").addEventListener("click", ({ target }) => {
    const shown = findings.filter((finding) => finding.shown);
    const open = !shown.every(({ details }) => details.open);
    for (const { details } of shown) details.open = open;
    target.textContent = open ? "Close all" : "Open all";
  });
  byId("reset").addEventListener("click", () => {
    query.value = "";
    for (const select of selects) select.value = "";
    sorted = null;
    arrange();
    filter();
  });
  byId("controls").hidden = false;
  filter();
})();
