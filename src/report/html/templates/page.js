// Sorts, filters and searches the table of all tests. Without it the page shows every row.
(() => {
  'use strict';
  const AT_ONCE = 100;
  const MORE = 200;
  document.documentElement.classList.add('js');

  const UNITS = { ms: 1, s: 1e3, min: 6e4, h: 36e5 };
  // "2 min 5 s" in milliseconds; nothing sorts below everything.
  const time = text => {
    let sum = text ? 0 : -1;
    for (const [, value, unit] of text.matchAll(/([\d.,]+) (ms|min|s|h)/g)) {
      sum += Number(value.replace(/,/g, '')) * UNITS[unit];
    }
    return text.startsWith('<') ? sum / 2 : sum;
  };
  const number = text => {
    const found = /[\d.,]+/.exec(text);
    return found ? Number(found[0].replace(/,/g, '')) : -1;
  };

  const start = () => {
    const table = document.getElementById('tests');
    if (!table) return;
    const shown = document.getElementById('shown');
    const rest = document.getElementById('rest');
    const search = document.getElementById('search');
    const found = document.getElementById('found');
    const more = document.getElementById('more');
    const boxes = [...document.querySelectorAll('#controls input[name=status]')];
    const statuses = boxes.map(box => box.value);
    const rows = [...table.querySelectorAll('tbody tr')];
    const columns = [...table.querySelectorAll('thead th')];
    const format = new Intl.NumberFormat('en');
    const cell = (row, place) => row.cells[place] ? row.cells[place].textContent.trim() : '';
    let order = rows, limit = AT_ONCE, texts = null;

    const matches = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const wanted = new Set(boxes.filter(box => box.checked).map(box => box.value));
      if (!words.length && !wanted.size) return order;
      // Read once, when first needed: opening the page should not wait for it.
      texts ??= new Map(rows.map(row => [row, row.textContent.toLowerCase()]));
      return order.filter(row => (!wanted.size || wanted.has(cell(row, 1)))
        && words.every(word => texts.get(row).includes(word)));
    };

    const show = () => {
      const matching = matches();
      const visible = matching.slice(0, limit);
      const keep = new Set(visible);
      rest.append(...[...shown.rows].filter(row => !keep.has(row)));
      // Rows that stay where they are cost nothing.
      let at = shown.firstElementChild;
      for (const row of visible) {
        if (row === at) at = at.nextElementSibling; else shown.insertBefore(row, at);
      }
      const left = matching.length - visible.length;
      const all = matching.length === rows.length
        ? `${format.format(rows.length)} tests`
        : `${format.format(matching.length)} of ${format.format(rows.length)} tests match`;
      found.textContent = left > 0 ? `${all}; the first ${format.format(visible.length)} are shown` : all;
      more.hidden = left === 0;
      more.textContent = `Show ${format.format(Math.min(left, MORE))} more`;
    };

    const again = () => { limit = AT_ONCE; show(); };

    const key = {
      name: text => text.toLowerCase(),
      text: text => text,
      status: text => statuses.indexOf(text),
      time, number,
    };
    const sort = (column, place) => {
      const was = column.getAttribute('aria-sort');
      const kind = column.dataset.kind;
      // What is largest asks for attention; names and statuses read from the top.
      const first = kind === 'name' || kind === 'status' ? 'ascending' : 'descending';
      const other = first === 'ascending' ? 'descending' : 'ascending';
      const direction = was === first ? other : first;
      columns.forEach(one => one.removeAttribute('aria-sort'));
      column.setAttribute('aria-sort', direction);
      const sign = direction === 'ascending' ? 1 : -1;
      const keys = new Map(rows.map(row => [row, key[kind](cell(row, place))]));
      const compare = (a, b) => {
        const [x, y] = [keys.get(a), keys.get(b)];
        return x < y ? -sign : x > y ? sign : 0;
      };
      order = [...rows].sort(compare);
      again();
    };

    columns.forEach((column, place) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.append(...column.childNodes);
      button.addEventListener('click', () => sort(column, place));
      column.append(button);
    });
    document.getElementById('controls').addEventListener('submit', event => event.preventDefault());
    search.addEventListener('input', again);
    boxes.forEach(box => box.addEventListener('change', again));
    more.addEventListener('click', () => { limit += MORE; show(); });
    show();
  };

  // On paper nothing can be opened.
  let opened = [];
  addEventListener('beforeprint', () => {
    opened = [...document.querySelectorAll('details:not([open])')];
    opened.forEach(one => { one.open = true; });
  });
  addEventListener('afterprint', () => { opened.forEach(one => { one.open = false; }); opened = []; });
  addEventListener('DOMContentLoaded', start);
})();
