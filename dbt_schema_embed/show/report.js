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

/* A row as it comes: column, type, description, target, confidence in 1/10000, status, reason, evidence, candidates,
   what feeds the target, a new name, whether it is undecided, its line in the mapping file, evidence in words. */
const FIELDS = ['column', 'type', 'about', 'target', 'confidence', 'status', 'reason', 'evidence', 'candidates', 'fed',
  'name', 'undecided', 'line', 'words'];
const ROWS = [];
DATA.tables.forEach((table, at) => {
  for (const row of table.rows) {
    ROWS.push(FIELDS.reduce((made, field, i) => { made[field] = row[i]; return made; }, { table: at }));
  }
});
const UNFED = DATA.goals.flatMap(([, path, columns]) =>
  columns.filter(([, , need]) => need > 1).map(([target, type, need]) => ({ target, type, must: need > 2, path })));
function word(confidence) {
  return confidence >= DATA.levels.certain ? 'certain' : confidence >= DATA.levels.likely ? 'likely' : 'doubtful';
}
/* Rounded down: 0.999 shown as 1.00 claims more than is known. */
function shown(confidence) { return (Math.floor(confidence / 100) / 100).toFixed(2); }
function targetName(at) { return at < 0 ? '' : `${DATA.models[DATA.targets[at][0]]}.${DATA.targets[at][1]}`; }
function decided(row) { return row.status > 1; }
function nothing(row) { return row.target < 0; }
function person(row) { return row.status === 0 && (row.undecided || row.confidence < DATA.levels.likely); }
function kind(row) {
  if (decided(row)) return STATUSES[row.status];
  return row.status === 1 ? 'in SQL' : row.undecided ? 'undecided' : nothing(row) ? 'nothing' : 'suggested';
}
/* A place in the project: a link where the report knows the way. */
function file(path, line) {
  const text = `${path}${line ? `:${line}` : ''}`;
  if (!DATA.base) return el('code', {}, text);
  const way = path.split('/').map(encodeURIComponent).join('/');
  return el('a', { class: 'file', href: `${DATA.base}${way}${line ? `#L${line}` : ''}` }, text);
}
/* A word for a shell, whatever is in it. */
function sh(text) { return /^[\w.][\w.@%+=:,/-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`; }
function command(verb, row, ...more) {
  const words = [DATA.tables[row.table].label, row.column].map(sh);
  const ends = words.some((word) => word.startsWith("'-")) ? ['--'] : [];
  return ['dbt-schema-embed', verb, ...more.map((word) => (word.startsWith('--') ? word : sh(word))), ...ends, ...words].join(' ');
}
function copyable(text) {
  const code = el('code', { class: 'command' }, text);
  const button = el('button', { type: 'button', class: 'copy', 'aria-label': `Copy: ${text}` }, 'copy');
  button.addEventListener('click', () => {
    getSelection().selectAllChildren(code);
    const said = (word) => { button.textContent = word; setTimeout(() => { button.textContent = 'copy'; }, 1500); };
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => said('copied'), () => said('selected'));
    else said('selected');
  });
  return el('li', {}, code, ' ', button);
}

function sure(row) {
  if (row.undecided && row.status === 0) return [el('span', { class: 'sure doubtful' }, 'undecided')];
  if (decided(row)) return [el('span', { class: 'sure muted' }, 'decided')];
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
  const said = row.undecided && row.status === 0 ? 'may feed one of the candidates' : 'nothing';
  return el('span', { class: 'muted' }, row.name ? `${said}; could be called ${row.name}` : said);
}

function header(names) {
  return el('thead', {}, el('tr', {}, ...names.map((name) => el('th', { scope: 'col' }, name))));
}
function rowOf(row, withTable) {
  const first = el('th', { scope: 'row' }, name(withTable ? `${DATA.tables[row.table].label}.${row.column}` : row.column));
  if (row.type) first.append(' ', el('span', { class: 'type' }, row.type));
  if (row.about) first.append(el('div', { class: 'about' }, row.about));
  const why = el('td', { 'data-label': 'Why' }, row.reason);
  const line = el('tr', {}, first, el('td', { 'data-label': 'Model column' }, place(row, withTable)),
    el('td', { 'data-label': 'Confidence' }, ...sure(row)), el('td', { 'data-label': 'Status' }, kind(row)), why);
  why.append(' ', opener(row, line));
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
  const others = el('ol');
  for (let i = 0; i < row.candidates.length; i += 2) {
    others.append(el('li', {}, name(targetName(row.candidates[i])), ` ${shown(row.candidates[i + 1])}`));
  }
  if (others.children.length) box.append(el('div', {}, el('h3', {}, 'Candidates'), others));
  box.append(el('div', {}, ...evidence(row)), el('div', { class: 'whole' }, el('h3', {}, 'Commands'), commands(row)));
  return box;
}
/* In words first, each with what it adds; every signal behind a fold. */
function evidence(row) {
  const parts = [];
  if (row.words) {
    parts.push(el('h3', {}, 'Evidence'), el('ul', {}, ...row.words.split(', ').map((said) => el('li', {}, said))));
    if (row.status === 0) parts.push(el('p', { class: 'muted' }, 'Behind a colon: what confidence would lose if that alone '
      + 'were not known. What has no number could be missed, for the rest says the same.'));
  }
  const list = el('ul', { class: 'signals' });
  for (let i = 0; i < row.evidence.length; i += 2) {
    list.append(el('li', {}, `${DATA.signals[row.evidence[i]].replaceAll('_', ' ')}: ${row.evidence[i + 1]}`));
  }
  if (list.children.length) parts.push(el('details', {}, el('summary', {}, `All ${plural(list.children.length, 'signal')}, 0 to 1`), list));
  for (const feeder of row.fed) parts.push(el('p', {}, `Fed today by ${feeder}.`));
  const table = DATA.tables[row.table];
  if (table.file) parts.push(el('p', {}, file(table.file, row.line)));
  return parts;
}
function commands(row) {
  const list = el('ul', { class: 'commands' });
  if (decided(row)) list.append(copyable(command('reopen', row)));
  else if (row.status === 0 && !nothing(row)) list.append(copyable(command('accept', row)), copyable(command('reject', row)));
  for (let i = 0; i < Math.min(6, row.candidates.length) && row.status !== 1; i += 2) {
    if (row.candidates[i] === row.target) continue;
    const [model, column] = DATA.targets[row.candidates[i]];
    list.append(copyable(command('accept', row, '--model', DATA.models[model], '--column', column)));
  }
  if (row.status === 0 && nothing(row)) list.append(copyable(`${command('accept', row)}  # it feeds nothing, for good`));
  list.append(copyable(`dbt-schema-embed suggest --explain ${sh(`${DATA.tables[row.table].label}.${row.column}`)}`));
  return list;
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
const TESTS = { 'needs a person': person, undecided: (row) => kind(row) === 'undecided', suggested: (row) => kind(row) === 'suggested', 'maps to nothing': (row) => nothing(row) && !row.undecided,
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
  const { fed } = DATA.tables[at];
  const goals = fed.slice(0, 3).map(([model, count]) => (fed.length > 1 ? `${model} (${count})` : model)).join(', ');
  const goal = fed.length > 3 ? `${goals} and ${fed.length - 3} more` : goals;
  return `→ ${goal || 'no model'}: ${said.join(', ')}${people ? `, ${people} to look at` : ''}`;
}
let waiting = 0;
function later() {
  clearTimeout(waiting);
  waiting = setTimeout(() => { apply(); keep(); }, 60);
}
/* The filters stand in the address, so that what one sees can be sent to somebody. */
function keep() {
  const set = new URLSearchParams();
  for (const [key, field] of Object.entries(fields)) {
    const value = key === 'table' && field.value !== '' ? DATA.tables[Number(field.value)].label : field.value;
    if (value !== (field.defaultValue ?? '')) set.set(key, value);
  }
  history.replaceState(null, '', `#${set}`);
}
function restore() {
  const set = new URLSearchParams(location.hash.slice(1));
  for (const [key, field] of Object.entries(fields)) {
    const value = set.get(key);
    if (value !== null) field.value = key === 'table' ? DATA.tables.findIndex((table) => table.label === value) : value;
  }
  return [...set.keys()].some((key) => key in fields);
}
function only(changes) {
  byId('filters').reset();
  Object.entries(changes).forEach(([name, value]) => { fields[name].value = value; });
  apply();
  keep();
  byId('tables').scrollIntoView();
  fields.text.focus({ preventScroll: true });
}

/* Sections above the tables */
function people() {
  const rows = ROWS.filter(person).sort((a, b) => b.undecided - a.undecided || a.confidence - b.confidence);
  const section = byId('people');
  if (!rows.length && !UNFED.length) {
    section.append(el('p', {}, 'Nothing: no column is undecided or doubtful, and every planned column is fed.'));
    return;
  }
  if (UNFED.length) {
    const first = [...UNFED].sort((a, b) => b.must - a.must);
    const items = first.slice(0, 20).map(({ target, type, must }) => el('li', {}, name(targetName(target)), ' ',
      el('span', { class: 'type' }, type), must ? el('b', { class: 'doubtful' }, ' must not be empty') : ''));
    section.append(el('h3', {}, `${plural(UNFED.length, 'planned column')} that nothing feeds`), el('ul', { class: 'unfed' }, ...items),
      UNFED.length > 20 ? el('p', { class: 'muted' }, `${number(UNFED.length - 20)} more stand with their models.`) : '');
  }
  if (!rows.length) return;
  section.append(tableOf(rows.slice(0, 8), `${plural(rows.length, 'column')} undecided or doubtful, undecided ones first`, true));
  if (rows.length > 8) {
    const all = el('button', { type: 'button' }, `Show all ${number(rows.length)}`);
    all.addEventListener('click', () => only({ status: 'needs a person' }));
    section.append(all);
  }
}
/* The target's side: each model with what feeds each of its columns. */
const SAID = ['made by its SQL', 'planned', 'nothing feeds it', 'nothing feeds it; it must not be empty'];
function goals() {
  const feeders = new Map();
  for (const row of ROWS) {
    if (row.target >= 0 && row.status !== 3) feeders.set(row.target, [...(feeders.get(row.target) || []), row]);
  }
  const section = byId('goals');
  if (!DATA.goals.length) section.append(el('p', { class: 'muted' }, 'These tables feed no model.'));
  const unfed = (goal) => goal[2].filter(([, , need]) => need > 1).length;
  for (const goal of [...DATA.goals].sort((a, b) => unfed(b) - unfed(a))) {
    const [model, path, columns] = goal;
    const fed = columns.filter(([target]) => feeders.has(target)).length;
    const empty = unfed(goal);
    const box = el('details', { class: 'table' }, el('summary', {}, el('b', { class: 'name' }, model),
      ` ${fed} of ${plural(columns.length, 'column')} fed by these tables${empty ? ', ' : ''}`,
      empty ? el('b', { class: 'doubtful' }, `${empty} by nothing`) : ''));
    box.addEventListener('toggle', () => {
      if (!box.open || box.children.length > 1) return;
      if (path) box.append(el('p', {}, file(path, 0)));
      box.append(goalTable(columns, feeders));
    });
    section.append(box);
  }
}
function goalTable(columns, feeders) {
  const rows = columns.map(([target, type, need]) => {
    const from = (feeders.get(target) || []).map((row) => el('div', {}, name(`${DATA.tables[row.table].label}.${row.column}`),
      ' ', el('span', { class: 'muted' }, kind(row) === 'suggested' ? `suggested, ${shown(row.confidence)}` : kind(row))));
    return el('tr', {}, el('th', { scope: 'row' }, name(DATA.targets[target][1]), ' ', el('span', { class: 'type' }, type)),
      el('td', {}, ...(from.length ? from : [el('span', { class: need > 1 ? 'doubtful' : 'muted' }, SAID[need])])));
  });
  return el('table', {}, header(['Model column', 'Fed by']), el('tbody', {}, ...rows));
}
function findings() {
  const section = byId('findings');
  if (!DATA.problems.length) {
    section.append(el('p', {}, 'check finds nothing in the mapping files of these tables.'));
    return;
  }
  const items = DATA.problems.slice(0, 200).map(([severity, message, path, line, hint, code]) => el('li', {},
    el('b', { class: severity === 'error' ? 'doubtful' : 'likely' }, severity), ' ', file(path, line), ': ', message, ' ',
    el('span', { class: 'type' }, `[${code}]`), hint ? el('div', { class: 'about' }, hint) : ''));
  const list = el('details', {}, el('summary', {}, plural(DATA.problems.length, 'finding')), el('ul', { class: 'findings' }, ...items));
  list.open = items.length <= 12;
  section.append(list);
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
  const counts = [[ROWS.filter(person).length + UNFED.length, 'need a person'],
    [ROWS.filter((row) => kind(row) === 'suggested').length, 'suggested'],
    [ROWS.filter((row) => row.status === 1).length, 'already in SQL'],
    [ROWS.filter((row) => row.status === 2).length, 'accepted'],
    [ROWS.filter((row) => kind(row) === 'nothing').length, 'map to nothing'],
    [UNFED.length, 'planned, unfed']];
  byId('counts').append(...counts.map(([count, name]) => el('span', {}, el('b', {}, number(count)), name)));
  byId('notes').append(...DATA.notes.map((line) => el('li', {}, line)));
}
function start() {
  fields.table.append(...DATA.tables.map((table, at) => el('option', { value: at }, table.label)));
  fields.status.append(...Object.keys(TESTS).map((name) => el('option', { value: name }, name)));
  byId('list').append(...boxes.map((each) => each.box));
  head();
  const asked = restore();
  people();
  goals();
  findings();
  changes();
  numbers();
  byId('map-box').addEventListener('toggle', drawMap, { once: true });
  apply();
  if (asked) byId('tables').scrollIntoView();
  byId('filters').addEventListener('input', later);
  byId('filters').addEventListener('reset', later);
  byId('filters').addEventListener('submit', (event) => event.preventDefault());
}
