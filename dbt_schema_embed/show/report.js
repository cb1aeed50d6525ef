'use strict';
/* Everything from outside is put into the page as text (textContent, setAttribute), never as markup. */
const DATA = JSON.parse(document.getElementById('data').textContent);
const STATUSES = ['suggested', 'existing', 'accepted', 'rejected'];
const PAGE = 100;
const byId = (id) => document.getElementById(id);

function el(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
function number(count) { return count.toLocaleString('en'); }
function plural(count, word) { return `${number(count)} ${word}${count === 1 ? '' : 's'}`; }

/* A row as it comes: column, type, description, target, confidence in 1/10000, status, reason, evidence, candidates. */
const ROWS = [];
DATA.tables.forEach((table, at) => {
  table.rows.forEach(([column, type, about, target, confidence, status, reason, evidence, candidates, fed, name]) => {
    ROWS.push({ table: at, column, type, about, target, confidence, status, reason, evidence, candidates, fed, name });
  });
});
function word(confidence) {
  return confidence >= DATA.levels.certain ? 'certain' : confidence >= DATA.levels.likely ? 'likely' : 'doubtful';
}
/* Rounded down: 0.999 shown as 1.00 claims more than is known. */
function shown(confidence) { return (Math.floor(confidence / 100) / 100).toFixed(2); }
function targetName(at) { return at < 0 ? '' : `${DATA.models[DATA.targets[at][0]]}.${DATA.targets[at][1]}`; }
function decided(row) { return row.status > 1; }
function nothing(row) { return row.target < 0; }
function person(row) { return row.status === 0 && row.confidence < DATA.levels.likely; }
function kind(row) {
  return decided(row) ? STATUSES[row.status] : row.status === 1 ? 'in SQL' : nothing(row) ? 'nothing' : 'suggested';
}

function sure(row) {
  const named = word(row.confidence);
  const inside = el('span', { class: `sure ${named}` }, `${shown(row.confidence)} ${named}`);
  const bar = el('span', { class: `bar ${named}`, 'aria-hidden': 'true' }, el('i'));
  bar.firstChild.style.width = `${row.confidence / 100}%`;
  return [inside, bar];
}
/* Long names break after a dot; a part that is too long for a line of its own, after an underscore. */
function name(text) {
  const parts = text.split(/(?<=[.])/).map((part) => el('span', { class: 'part' },
    ...part.split(/(?<=_)/).flatMap((word) => [word, el('wbr')]).slice(0, -1)));
  return el('span', { class: 'name' }, ...parts);
}
function place(row, whole) {
  if (!nothing(row)) {
    const [model, column] = DATA.targets[row.target];
    const own = !whole && DATA.models[model] === DATA.tables[row.table].model;
    return name(own ? column : targetName(row.target));
  }
  return el('span', { class: 'muted' }, row.name ? `nothing; could be called ${row.name}` : 'nothing');
}

function header(names) {
  return el('thead', {}, el('tr', {}, ...names.map((name) => el('th', { scope: 'col' }, name))));
}
function rowOf(row, withTable) {
  const first = el('th', { scope: 'row' }, name(withTable ? `${DATA.tables[row.table].label}.${row.column}` : row.column));
  if (row.type) first.append(' ', el('span', { class: 'type' }, row.type));
  if (row.about) first.append(el('div', { class: 'about' }, row.about));
  const why = el('td', {}, row.reason);
  const line = el('tr', {}, first, el('td', {}, place(row, withTable)), el('td', {}, ...sure(row)),
    el('td', {}, kind(row)), why);
  if (row.evidence.length || row.candidates.length) why.append(' ', opener(row, line));
  return line;
}
/* A button that shows the evidence as a row of its own below. */
function opener(row, line) {
  const button = el('button', { type: 'button', class: 'open', 'aria-expanded': 'false',
    'aria-label': `Evidence and candidates of ${row.column}` }, 'evidence');
  let below = null;
  button.addEventListener('click', () => {
    if (below) { below.remove(); below = null; } else {
      below = el('tr', { class: 'below' }, el('td', { colspan: '5' }, facts(row)));
      line.after(below);
    }
    button.setAttribute('aria-expanded', String(below !== null));
  });
  return button;
}
function facts(row) {
  const box = el('div', { class: 'facts' });
  const list = el('ul');
  for (let i = 0; i < row.evidence.length; i += 2) {
    list.append(el('li', {}, `${DATA.signals[row.evidence[i]].replaceAll('_', ' ')}: ${row.evidence[i + 1]}`));
  }
  for (const feeder of row.fed) list.append(el('li', {}, `fed today by ${feeder}`));
  if (list.children.length) box.append(el('div', {}, el('h3', {}, 'Evidence (0 to 1)'), list));
  const others = el('ol');
  for (let i = 0; i < row.candidates.length; i += 2) {
    const item = el('li', {}, name(targetName(row.candidates[i])), ` ${shown(row.candidates[i + 1])}`);
    others.append(item);
  }
  if (others.children.length) box.prepend(el('div', {}, el('h3', {}, 'Candidates'), others));
  return box;
}
function tableOf(rows, caption, withTable) {
  const body = el('tbody');
  const columns = el('colgroup', {}, ...[1, 2, 3, 4, 5].map(() => el('col')));
  const table = el('table', { class: 'rows' }, el('caption', {}, caption), columns,
    header(['Source column', 'Model column', 'Confidence', 'Status', 'Why']), body);
  const box = el('div', { class: 'wide' }, table);
  let drawn = 0;
  const more = el('button', { type: 'button' });
  function draw() {
    body.append(...rows.slice(drawn, drawn + PAGE).map((row) => rowOf(row, withTable)));
    drawn = Math.min(drawn + PAGE, rows.length);
    more.hidden = drawn === rows.length;
    more.textContent = `Show ${Math.min(PAGE, rows.length - drawn)} more of ${plural(rows.length - drawn, 'row')}`;
  }
  more.addEventListener('click', draw);
  draw();
  box.append(more);
  return box;
}

/* Filters */
const fields = { text: byId('by-text'), table: byId('by-table'), status: byId('by-status'),
  least: byId('by-least'), most: byId('by-most') };
function hay(row) {
  row.hay ??= `${DATA.tables[row.table].label}.${row.column} ${row.type} ${row.about} ${targetName(row.target)} ${row.reason}`
    .toLowerCase();
  return row.hay;
}
const TESTS = { 'needs a person': person, suggested: (row) => kind(row) === 'suggested', 'maps to nothing': nothing,
  'already in SQL': (row) => row.status === 1, accepted: (row) => row.status === 2, rejected: (row) => row.status === 3 };
function bound(field, usual) {
  const value = Number.parseFloat(field.value);
  return Number.isNaN(value) ? usual : Math.round(value * 10000);
}
function admitted() {
  const words = fields.text.value.toLowerCase().split(/\s+/).filter(Boolean);
  const table = fields.table.value === '' ? -1 : Number(fields.table.value);
  const test = TESTS[fields.status.value];
  const [least, most] = [bound(fields.least, 0), bound(fields.most, 10000)];
  return ROWS.filter((row) => (table < 0 || row.table === table) && (!test || test(row))
    && row.confidence >= least && row.confidence <= most && words.every((part) => hay(row).includes(part)));
}
function filtering() {
  return Object.values(fields).some((field) => field.value !== (field.defaultValue ?? ''));
}
const boxes = DATA.tables.map((table, at) => {
  const title = el('summary');
  const box = el('details', { class: 'table' }, title);
  box.addEventListener('toggle', () => fill(box, at));
  return { box, title, rows: [] };
});
function fill(box, at) {
  if (!box.open || box.children.length > 1) return;
  const { rows } = boxes[at];
  if (DATA.tables[at].about) box.append(el('p', { class: 'about' }, DATA.tables[at].about));
  box.append(heat(at), tableOf(rows, `${plural(rows.length, 'column')} of ${DATA.tables[at].label}`, false));
}
function apply() {
  const rows = admitted();
  for (const each of boxes) each.rows = [];
  for (const row of rows) boxes[row.table].rows.push(row);
  const some = boxes.filter((each) => each.rows.length);
  let room = filtering() ? PAGE : 1;
  boxes.forEach(({ box, title, rows: mine }, at) => {
    while (box.children.length > 1) box.lastChild.remove();
    box.hidden = mine.length === 0;
    if (box.hidden) { box.open = false; return; }
    const open = room > 0;
    room -= mine.length;
    title.replaceChildren(el('b', { class: 'name' }, DATA.tables[at].label), ` ${summary(at, mine)}`);
    box.open = open;
    if (open) fill(box, at);
  });
  byId('found').textContent = `${plural(rows.length, 'column')} in ${plural(some.length, 'table')}`;
  highlight(fields.table.value === '' ? -1 : Number(fields.table.value));
}
function summary(at, rows) {
  const counts = {};
  for (const row of rows) counts[kind(row)] = (counts[kind(row)] || 0) + 1;
  const people = rows.filter(person).length;
  const said = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  return `→ ${DATA.tables[at].model || 'no model'}: ${said.join(', ')}${people ? `, ${people} to look at` : ''}`;
}
let waiting = 0;
function later() {
  clearTimeout(waiting);
  waiting = setTimeout(apply, 60);
}
function only(changes) {
  byId('filters').reset();
  Object.entries(changes).forEach(([name, value]) => { fields[name].value = value; });
  apply();
  byId('tables').scrollIntoView();
  fields.text.focus({ preventScroll: true });
}

/* Sections above the tables */
function people() {
  const rows = ROWS.filter(person).sort((a, b) => a.confidence - b.confidence);
  const section = byId('people');
  if (!rows.length) {
    section.append(el('p', {}, 'Nothing: no open suggestion is doubtful.'));
    return;
  }
  section.append(tableOf(rows.slice(0, 8), `${plural(rows.length, 'doubtful column')}, most doubtful first`, true));
  if (rows.length > 8) {
    const all = el('button', { type: 'button' }, `Show all ${number(rows.length)}`);
    all.addEventListener('click', () => only({ status: 'needs a person' }));
    section.append(all);
  }
}
function changes() {
  const section = byId('changes');
  const { since, lines, more } = DATA.changes;
  if (!since) section.append(el('p', { class: 'muted' }, 'This is the first report here: there is none to compare with.'));
  else if (!lines.length) section.append(el('p', {}, `Nothing since ${since}.`));
  else {
    const list = el('ul', {}, ...lines.map(([what, name, text]) =>
      el('li', {}, el('b', {}, what), ' ', el('span', { class: 'name' }, name), text ? `: ${text}` : '')));
    const first = el('details', {}, el('summary', {}, `${plural(lines.length + more, 'change')} since ${since}`), list);
    first.open = lines.length <= 12;
    section.append(first);
    if (more) section.append(el('p', { class: 'muted' }, `${number(more)} more are not listed.`));
  }
}
function head() {
  byId('made').textContent = `Made ${DATA.made} from ${plural(DATA.tables.length, 'source table')} `
    + `with ${plural(ROWS.length, 'column')}. No sample values are in this file.`;
  const counts = [[ROWS.filter(person).length, 'need a person'],
    [ROWS.filter((row) => kind(row) === 'suggested').length, 'suggested'],
    [ROWS.filter((row) => row.status === 1).length, 'already in SQL'],
    [ROWS.filter((row) => row.status === 2).length, 'accepted'],
    [ROWS.filter((row) => kind(row) === 'nothing').length, 'map to nothing']];
  byId('counts').append(...counts.map(([count, name]) => el('span', {}, el('b', {}, number(count)), name)));
  byId('notes').append(...DATA.notes.map((line) => el('li', {}, line)));
}
function start() {
  fields.table.append(...DATA.tables.map((table, at) => el('option', { value: at }, table.label)));
  fields.status.append(...Object.keys(TESTS).map((name) => el('option', { value: name }, name)));
  byId('list').append(...boxes.map((each) => each.box));
  head();
  people();
  changes();
  numbers();
  drawMap();
  apply();
  byId('filters').addEventListener('input', later);
  byId('filters').addEventListener('reset', () => setTimeout(apply, 0));
  byId('filters').addEventListener('submit', (event) => event.preventDefault());
}
