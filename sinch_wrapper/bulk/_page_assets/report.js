"use strict";
(() => {
  const source = document.getElementById("rows");
  if (!source) return;
  const { columns, words, state } = JSON.parse(source.textContent);
  const PAGE = 50;
  const byId = (name) => document.getElementById(name);
  const [search, states, body, said, back, on] =
    ["search", "states", "body", "said", "back", "on"].map(byId);
  const heads = [...document.querySelectorAll("#recipients thead th")];
  // A column holds numbers and texts as they are, or places in the list of words.
  const at = (name, row) => {
    const column = columns[name];
    return column.worded ? words[column.cells[row]] : column.cells[row];
  };
  const names = Object.keys(columns);
  const all = Array.from({ length: columns[names[0]].cells.length }, (_, row) => row);
  let rows = all, page = 0, sorted = "", down = false;

  const find = () => {
    const wanted = search.value.trim().toLowerCase();
    const only = states.value === "" ? -1 : Number(states.value);
    const hit = words.map((word) => wanted !== "" && word.toLowerCase().includes(wanted));
    const has = (row) => names.some((name) => {
      const cell = columns[name].cells[row];
      return columns[name].worded ? hit[cell] : String(cell).toLowerCase().includes(wanted);
    });
    rows = all.filter((row) =>
      (only < 0 || columns[state].cells[row] === only) && (wanted === "" || has(row)));
    order();
  };
  const order = () => {
    if (sorted) {
      const compare = new Intl.Collator("en", { numeric: true }).compare;
      const column = columns[sorted];
      // Words are few: their order is found once.
      const rank = new Map(column.worded
        ? [...words.keys()].sort((a, b) => compare(words[a], words[b])).map((word, i) => [word, i])
        : []);
      const key = (row) => (column.worded ? rank.get(column.cells[row]) : column.cells[row]);
      rows = [...rows].sort((a, b) => {
        const [x, y] = [key(a), key(b)];
        const way = typeof x === "number" && typeof y === "number" ? x - y : compare(x, y);
        return (down ? -way : way) || a - b;
      });
    }
    page = 0;
    show();
  };
  const show = () => {
    const first = page * PAGE, last = Math.min(first + PAGE, rows.length);
    body.replaceChildren(...rows.slice(first, last).map((row) => {
      const line = document.createElement("tr");
      line.append(...names.map((name, place) => {
        const cell = document.createElement("td");
        cell.className = heads[place].className;
        cell.textContent = at(name, row);
        return cell;
      }));
      return line;
    }));
    const count = (number) => number.toLocaleString("en");
    said.textContent = rows.length
      ? `${count(first + 1)} to ${count(last)} of ${count(rows.length)}` : "None found";
    back.disabled = page === 0;
    on.disabled = last >= rows.length;
  };

  heads.forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      down = sorted === names[place] && !down;
      sorted = names[place];
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      order();
    });
  });
  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(find, 120);
  });
  states.addEventListener("change", find);
  back.addEventListener("click", () => { page -= 1; show(); });
  on.addEventListener("click", () => { page += 1; show(); });
  document.documentElement.classList.add("scripted");
  show();
})();
