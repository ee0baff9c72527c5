// tell.mjs - what a run of the bench has found, as a table for a terminal or for docs/performance.md.

const MB = 1024 * 1024;
const sum = (one) => (one.reader + one.moderator) / MB;
const growth = (all, pick) => { const each = Object.values(all).map(pick); return Math.max(...each) / Math.min(...each); };
const ends = (all) => { const each = Object.keys(all); return [each[0], each.at(-1)].map((n) => Number(n).toLocaleString('en-US')); };

// {name, value} and the aim: `least` or `most`, or none.
export function ratiosOf({ reading, posting, memory, queue, roots, wide_workers: wide }) {
  const [fewest, most] = ends(queue), [short, long] = ends(roots);
  return [
    { name: 'thread to plain file, requests/s', value: reading.thread.per_second / reading.plain.per_second, least: 0.95 },
    { name: 'plain file to thread, CPU', value: reading.plain.cpu_ms.all / reading.thread.cpu_ms.all, least: 0.95 },
    { name: 'reply to bare commit, requests/s', value: posting.door.per_second / posting.commit.per_second, least: 0.5 },
    { name: 'bare commit to reply, CPU', value: posting.commit.cpu_ms.all / posting.door.cpu_ms.all },
    { name: `reply to bare commit, ${wide} workers`, value: posting.wide.per_second / posting.commit.per_second },
    { name: `reply to bare commit, ${most} waiting`, value: posting.late.per_second / posting.commit.per_second },
    { name: 'reply to bare echo, requests/s', value: posting.door.per_second / posting.echo.per_second },
    { name: 'memory of both doors, idle, MB', value: sum(memory.idle), most: 12 },
    { name: `memory of both doors, replies coming, ${most} waiting, MB`, value: sum(memory.loaded), most: 24 },
    { name: 'queue page, CPU of the door, ms', value: Math.max(...Object.values(queue).map(({ page }) => page.cpu_ms.door)), most: 1 },
    { name: `queue page, CPU, ${fewest} to ${most} waiting`, value: growth(queue, ({ page }) => page.cpu_ms.all), most: 1.3 },
    { name: `queue page, reads and writes, ${fewest} to ${most} waiting`, value: growth(queue, ({ page }) => page.io), most: 1.3 },
    { name: `decision, p50, ${fewest} to ${most} waiting`, value: growth(queue, ({ decision }) => decision.p50_ms), most: 1.3 },
    { name: `decision, reads and writes, ${fewest} to ${most} waiting`, value: growth(queue, ({ decision }) => decision.io), most: 1.3 },
    { name: `decision, p50, ${short} to ${long} roots`, value: growth(roots, (one) => one.p50_ms), most: 1.3 },
    { name: `decision, reads and writes, ${short} to ${long} roots`, value: growth(roots, (one) => one.io), most: 1.3 },
  ];
}

function aimOf({ least, most }) {
  if (least === undefined && most === undefined) return '';
  return least === undefined ? `at most ${most}` : `at least ${least}`;
}
function verdictOf({ value, least, most }) {
  if (least === undefined && most === undefined) return '';
  return (least === undefined ? value <= most : value >= least) ? 'held' : 'MISSED';
}

// Each table is a list of rows of cells, the first of them its heads.
function measurements({ reading, posting, queue, roots, thread_replies: replies, wide_workers: wide }) {
  const waiting = (n) => `${Number(n).toLocaleString('en-US')} waiting`;
  const rows = [['plain file', reading.plain], [`thread of ${replies} replies`, reading.thread],
    ['reply', posting.door], [`reply, ${wide} workers`, posting.wide], [`reply, ${waiting(Object.keys(queue).at(-1))}`, posting.late],
    ['bare commit', posting.commit], ['bare echo', posting.echo],
    ...Object.entries(queue).flatMap(([n, { page, decision }]) => [[`queue page, ${waiting(n)}`, page], [`decision, ${waiting(n)}`, decision]]),
    ...Object.entries(roots).map(([n, decision]) => [`decision, thread of ${Number(n).toLocaleString('en-US')} roots`, decision])];
  return [['', 'requests/s', 'p50 ms', 'p99 ms', 'CPU ms', 'of program', 'reads and writes'],
    ...rows.map(([name, one]) => [name, one.per_second?.toFixed(0) ?? '', one.p50_ms.toFixed(2), one.p99_ms.toFixed(2), one.cpu_ms.all.toFixed(3),
      (one.cpu_ms.door ?? one.cpu_ms.reference)?.toFixed(3) ?? '', one.io.toFixed(1)])];
}
function memories({ memory }) {
  return [['memory, MB', 'reader.fcgi', 'moderator.fcgi', 'both'],
    ...[['idle', memory.idle], ['while replies come', memory.loaded], ['afterwards', memory.after]].map(([name, one]) =>
      [name, ...[one.reader / MB, one.moderator / MB, sum(one)].map((n) => n.toFixed(1))])];
}
const aims = ({ ratios }) => [['ratio', 'value', 'aim', ''], ...ratios.map((one) => [one.name, one.value.toFixed(2), aimOf(one), verdictOf(one)])];
function circumstances(result) {
  const { machine: m, posting, reading } = result;
  return `${result.began.slice(0, 10)}, ${m.cores} cores (${m.model}), ${m.filesystem}, a sync took ${m.sync_ms.toFixed(2)} ms, nginx ${m.nginx.replace(/^.*\//, '')}, ` +
    `SQLite ${m.sqlite}; load average ${result.load_before} before, ${result.load_after} after. ` +
    `The bare commit put ${posting.reference.rows_a_commit} rows into a commit; a row is ${posting.row_bytes.reference.toFixed(0)} bytes there, ` +
    `${posting.row_bytes.door.toFixed(0)} of the door's; the thread has ${reading.bytes.toLocaleString('en-US')} bytes.`;
}

function plain(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')).join('\n');
}
function marked([heads, ...rows]) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

export const table = (result) => [plain(measurements(result)), plain(memories(result)), plain(aims(result)), circumstances(result)].join('\n\n');
export const markdown = (result) =>
  [circumstances(result), marked(measurements(result)), marked(memories(result)), marked(aims(result)).replaceAll('MISSED', '**missed**')].join('\n\n');
