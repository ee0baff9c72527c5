// doc.mjs - writes the tables of docs/performance.md anew from what `make bench` has found (bench.json).
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from '../lib/instance.mjs';
import { markdown } from './tell.mjs';

const from = path.resolve(ROOT, process.env.BENCH ?? 'build/bench', 'bench.json');
const to = path.join(ROOT, 'docs/performance.md');
const marks = /(<!-- bench-doc: .*? -->\n)[\s\S]*?(<!-- bench-doc ends -->)/;

const fail = (why) => { console.error(`bench-doc: ${why}`); process.exit(1); };
if (!fs.existsSync(from)) fail(`${from} is not there: run make bench first`);
const result = JSON.parse(fs.readFileSync(from, 'utf8'));
if (result.short) fail('bench.json is of the short form, whose figures mean little: run make bench');
const text = fs.readFileSync(to, 'utf8');
if (!marks.test(text)) fail(`${to} has lost its marks`);
fs.writeFileSync(to, text.replace(marks, (_, begin, end) => `${begin}${markdown(result)}\n\n${end}`));
console.log(`bench-doc: docs/performance.md tells of the run of ${result.began}`);
