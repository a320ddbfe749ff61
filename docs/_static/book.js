// The board: sort by a column's head, search all cells, choose a study or a verdict. Without this script it is a plain table.
const board = document.getElementById("board");
if (board) {
  const body = board.tBodies[0];
  const rows = [...body.rows];
  const text = rows.map((r) => r.textContent.toLowerCase());
  const search = document.getElementById("board-search");
  const selects = [...document.querySelectorAll(".board-tools select")];
  const count = document.getElementById("board-count");

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      const fits =
        words.every((w) => text[i].includes(w)) &&
        selects.every((s) => !s.value || row.cells[s.dataset.column].textContent === s.value);
      row.hidden = !fits;
      shown += fits;
    });
    count.textContent = `${shown} numbers`;
  };
  search.addEventListener("input", filter);
  selects.forEach((s) => s.addEventListener("change", filter));

  board.querySelectorAll("th button").forEach((button, column) => {
    button.addEventListener("click", () => {
      const head = button.parentElement;
      const up = head.getAttribute("aria-sort") !== "ascending";
      board.querySelectorAll("th").forEach((th) => th.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => row.cells[column].textContent;
      const order = (a, b) => {
        const [x, y] = [key(a), key(b)];
        if (!x || !y) return x ? -1 : y ? 1 : 0; // empty cells stay last
        const numbers = [parseFloat(x.replace(",", ".")), parseFloat(y.replace(",", "."))];
        const by = numbers.every(Number.isFinite) ? numbers[0] - numbers[1] : x.localeCompare(y);
        return up ? by : -by;
      };
      rows.sort(order).forEach((row) => body.append(row));
      text.splice(0, text.length, ...rows.map((r) => r.textContent.toLowerCase()));
    });
  });
}
