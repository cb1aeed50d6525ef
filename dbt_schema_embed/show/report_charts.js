/* Drawings: inline SVG, each with a text that says what it shows. */
const SERIES = 8;
function svg(name, attributes, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
function card(title, ...children) { return el('div', { class: 'card' }, el('h3', {}, title), ...children); }
function legend(items) {
  return el('ul', { class: 'legend' }, ...items.map(([name, color]) => {
    const mark = el('i', { 'aria-hidden': 'true' });
    mark.style.background = color;
    return el('li', {}, mark, name);
  }));
}

function numbers() {
  byId('numbers').querySelector('.charts').append(coverage(), histogram(), calibration());
}
const PARTS = [['accepted', 'var(--s0)'], ['in SQL', 'var(--s3)'], ['suggested', 'var(--certain)'],
  ['rejected', 'var(--doubtful)'], ['undecided', 'var(--likely)'], ['nothing', 'var(--none)']];
function coverage() {
  const box = el('div', { class: 'stack', role: 'list', tabindex: '0', 'aria-label': 'Coverage of each table' });
  const counts = DATA.tables.map(() => ({}));
  for (const row of ROWS) counts[row.table][kind(row)] = (counts[row.table][kind(row)] || 0) + 1;
  const drawn = DATA.tables.slice(0, 200);
  drawn.forEach((table, at) => {
    const total = table.rows.length || 1;
    const open = total - (counts[at].nothing || 0) - (counts[at].undecided || 0);
    const said = PARTS.filter(([name]) => counts[at][name]).map(([name]) => `${counts[at][name]} ${name}`).join(', ');
    const bar = el('span', { class: 'parts', role: 'listitem', 'aria-label': `${table.label}: ${said}`, title: said });
    for (const [name, color] of PARTS) {
      if (!counts[at][name]) continue;
      const part = el('i');
      part.style.width = `${(100 * counts[at][name]) / total}%`;
      part.style.background = color;
      bar.append(part);
    }
    box.append(el('span', { class: 'name', title: table.label, 'aria-hidden': 'true' }, table.label), bar,
      el('span', { class: 'muted', 'aria-hidden': 'true' }, `${open}/${total}`));
  });
  const left = DATA.tables.length - drawn.length;
  return card('Columns with an answer, by table', box, legend(PARTS),
    el('p', { class: 'muted' }, left > 0 ? `The first 200 of ${plural(DATA.tables.length, 'table')}.` : ''));
}

function histogram() {
  const open = ROWS.filter((row) => row.status === 0 && !nothing(row));
  if (!open.length) return card('Confidence of open suggestions', el('p', { class: 'muted' }, 'No suggestion is open.'));
  const bins = Array(10).fill(0);
  for (const row of open) bins[Math.min(9, Math.floor(row.confidence / 1000))] += 1;
  const top = Math.max(...bins);
  const picture = svg('svg', { viewBox: '0 0 340 190', role: 'img', 'aria-label':
    `Histogram: ${bins.map((count, at) => `${at / 10} to ${(at + 1) / 10}: ${count}`).join('; ')}` });
  bins.forEach((count, at) => {
    const height = (count / top) * 130;
    const color = `var(--${word(at * 1000 + 500)})`;
    picture.append(svg('rect', { x: 12 + at * 32, y: 160 - height, width: 28, height, rx: 2, style: `fill:${color}` }));
    if (count) picture.append(svg('text', { x: 26 + at * 32, y: 154 - height, 'text-anchor': 'middle' }, number(count)));
    picture.append(svg('text', { x: 12 + at * 32, y: 178, class: 'dim', 'text-anchor': 'middle' }, (at / 10).toFixed(1)));
  });
  picture.append(svg('text', { x: 336, y: 178, class: 'dim', 'text-anchor': 'end' }, '1.0'),
    svg('line', { x1: 8, x2: 336, y1: 160.5, y2: 160.5, class: 'axis' }));
  return card('Confidence of open suggestions', picture,
    legend([['certain', 'var(--certain)'], ['likely', 'var(--likely)'], ['doubtful', 'var(--doubtful)']]));
}

/* What was said against what came of it: measured by `evaluate`, and decided by people. */
function calibration() {
  const title = 'Calibration: said, and right';
  const { made, tenths: measured } = DATA.measured;
  const { tenths: decided, count, least } = DATA.decided;
  const total = measured.reduce((sum, [, , size]) => sum + size, 0);
  const notes = [
    measured.length ? `Measured by evaluate on ${made}: ${plural(total, 'answer')}, "nothing" among them, about models that exist, hidden for it.`
      : 'Not measured here: dbt-schema-embed evaluate does it, and the next report draws it.',
    decided.length ? `Decided by people, one by one: ${number(count)} suggestions.`
      : `Decided by people, one by one: ${number(count)} suggestions; drawn from ${least} on.`,
  ].map((text) => el('p', { class: 'muted' }, text));
  if (!measured.length && !decided.length) return card(title, ...notes);
  const series = [[measured, 'right', 'var(--s0)'], [decided, 'accepted', 'var(--s1)']].filter(([tenths]) => tenths.length);
  const across = (value) => 40 + value * 240;
  const down = (value) => 160 - value * 145;
  const told = ([mean, share, size], word) => `said ${mean.toFixed(2)}, ${word} ${share.toFixed(2)} of ${number(size)}`;
  const picture = svg('svg', { viewBox: '0 0 340 190', role: 'img', 'aria-label':
    `Calibration: ${series.flatMap(([tenths, word]) => tenths.map((tenth) => told(tenth, word))).join('; ')}` },
    svg('line', { x1: across(0), y1: down(0), x2: across(1), y2: down(1), class: 'grid' }),
    svg('line', { x1: across(0), y1: down(0), x2: across(1), y2: down(0), class: 'axis' }),
    svg('line', { x1: across(0), y1: down(0), x2: across(0), y2: down(1), class: 'axis' }));
  for (const value of [0, 0.5, 1]) {
    picture.append(svg('text', { x: across(value), y: 178, class: 'dim', 'text-anchor': 'middle' }, value.toFixed(1)),
      svg('text', { x: 34, y: down(value) + 4, class: 'dim', 'text-anchor': 'end' }, value.toFixed(1)));
  }
  for (const [tenths, word, color] of series) {
    for (const tenth of tenths) {
      picture.append(svg('circle', { cx: across(tenth[0]), cy: down(tenth[1]), r: Math.min(12, 3 + Math.sqrt(tenth[2])),
        style: `fill:${color};fill-opacity:.7` }, svg('title', {}, told(tenth, word))));
    }
  }
  return card(title, picture, legend(series.map(([, word, color]) => [`share ${word}, by confidence`, color])), ...notes);
}

/* The map: one path a table, its dots subpaths of no length, so that 50,000 dots are few elements. */
let highlight = () => {};
function drawMap() {
  const section = byId('map-box');
  const { groups, explained } = DATA.map;
  if (!groups.length) {
    section.append(el('p', { class: 'muted' }, 'Not drawn: there are too few columns.'));
    return;
  }
  const picture = svg('svg', { viewBox: '-20 -20 1240 540', role: 'img', 'aria-label':
    `Map of ${number(DATA.map.count)} column names in two dimensions; near dots have names of near meaning.` });
  const paths = groups.map((group, at) => {
    let dots = '';
    for (let i = 0; i < group.xy.length; i += 2) dots += `M${group.xy[i]} ${group.xy[i + 1]}h0`;
    const color = at < SERIES ? `var(--s${at})` : 'var(--none)';
    const path = svg('path', { d: dots, class: 'dots', style: `stroke:${color};stroke-opacity:${at < SERIES ? 0.85 : 0.45}` });
    return path;
  });
  picture.append(...paths.slice(SERIES), ...paths.slice(0, SERIES));
  const mark = svg('circle', { r: 9, style: 'fill:none;stroke:var(--text);stroke-width:2', visibility: 'hidden' });
  picture.append(mark);
  const here = el('p', { id: 'here', 'aria-live': 'off' }, 'Point at a dot to see its column.');
  picture.addEventListener('pointermove', (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
    let best = 900, found = null;
    for (const group of groups) {
      for (let i = 0; i < group.xy.length; i += 2) {
        const away = (group.xy[i] - at.x) ** 2 + (group.xy[i + 1] - at.y) ** 2;
        if (away < best) { best = away; found = [group, i]; }
      }
    }
    mark.setAttribute('visibility', found ? 'visible' : 'hidden');
    if (!found) return;
    mark.setAttribute('cx', found[0].xy[found[1]]);
    mark.setAttribute('cy', found[0].xy[found[1] + 1]);
    here.replaceChildren(el('span', { class: 'name' }, `${found[0].label}.${found[0].names[found[1] / 2]}`));
  });
  const shownNames = groups.slice(0, SERIES).map((group, at) => [group.label, `var(--s${at})`]);
  if (groups.length > SERIES) shownNames.push([`${groups.length - SERIES} more tables`, 'var(--none)']);
  section.append(el('figure', {}, picture, here, legend(shownNames), el('figcaption', { class: 'muted' },
    `Meaning of the columns' names, sources and models; the two directions hold ${Math.round(explained * 100)} % of the `
    + 'differences. A table chosen in the filter is drawn in front, and its model with it.')));
  highlight = (table) => {
    const wanted = table < 0 ? [] : [DATA.tables[table].label, DATA.tables[table].model];
    groups.forEach((group, at) => {
      const chosen = wanted.includes(group.label);
      const usual = at < SERIES ? 0.85 : 0.45;
      paths[at].style.strokeOpacity = !wanted.length ? usual : chosen ? 1 : 0.12;
      paths[at].style.stroke = chosen && at >= SERIES ? 'var(--accent)' : at < SERIES ? `var(--s${at})` : 'var(--none)';
      if (chosen) picture.insertBefore(paths[at], mark);
    });
  };
}

/* Source columns by the columns of the model that most of them feed. */
const CELL = 18, MOST = 60;
function heat(at) {
  const box = el('details', { class: 'heat' }, el('summary', {}, 'Heat map of candidates'));
  box.addEventListener('toggle', () => { if (box.open && box.children.length === 1) box.append(...heatMap(at)); });
  return box;
}
function heatMap(at) {
  const table = DATA.tables[at];
  const mine = ROWS.filter((row) => row.table === at && row.candidates.some((t, i) => i % 2 === 0 && ofModel(t, table)));
  if (!mine.length) return [el('p', { class: 'muted' }, 'No candidates to draw.')];
  const every = new Set();
  for (const row of mine) if (row.target >= 0 && ofModel(row.target, table)) every.add(row.target);
  for (const row of mine) row.candidates.forEach((t, i) => { if (i % 2 === 0 && ofModel(t, table)) every.add(t); });
  const columns = [...every].slice(0, MOST);
  const rows = mine.slice(0, MOST);
  const longest = Math.max(...columns.map((t) => Math.min(26, DATA.targets[t][1].length)));
  const top = 16 + longest * 5.6, width = 250 + columns.length * CELL, height = top + 6 + rows.length * CELL;
  const picture = svg('svg', { width: width + 90, height, role: 'img', 'aria-label':
    `Heat map: ${plural(rows.length, 'column')} of ${table.label} by ${plural(columns.length, 'column')} of ${table.model}. `
    + 'The same numbers are in the candidates of each row.' });
  columns.forEach((t, x) => {
    picture.append(svg('text', { transform: `translate(${264 + x * CELL} ${top - 6}) rotate(-55)` }, cut(DATA.targets[t][1], 26)));
  });
  rows.forEach((row, y) => {
    picture.append(svg('text', { x: 242, y: top + 13 + y * CELL, 'text-anchor': 'end' }, cut(row.column, 34)));
    for (let i = 0; i < row.candidates.length; i += 2) {
      const x = columns.indexOf(row.candidates[i]);
      if (x < 0) continue;
      picture.append(svg('rect', { x: 250 + x * CELL, y: top + y * CELL, width: CELL - 2, height: CELL - 2, rx: 2,
        class: row.candidates[i] === row.target ? 'cell chosen' : 'cell',
        'fill-opacity': 0.08 + (0.92 * row.candidates[i + 1]) / 10000 },
      svg('title', {}, `${row.column} → ${DATA.targets[row.candidates[i]][1]} ${shown(row.candidates[i + 1])}`)));
    }
  });
  const left = [[mine.length, 'row'], [every.size, 'column']].filter(([count]) => count > MOST)
    .map(([count, name]) => `${plural(count - MOST, name)}`);
  return [el('div', { class: 'wide' }, picture), el('p', { class: 'muted' },
    `Stronger colour: more confident; framed: the answer.${left.length ? ` Left out: ${left.join(' and ')}.` : ''}`)];
}
function ofModel(target, table) { return DATA.models[DATA.targets[target][0]] === table.model; }
function cut(text, most) { return text.length > most ? `${text.slice(0, most - 1)}…` : text; }
start();
