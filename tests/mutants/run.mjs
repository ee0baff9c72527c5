// run.mjs - plants the faults of mutants.mjs, one after the other, in a copy of the tree below
// build/mutants/, builds it, and runs only the tests that should notice.
//
//   run.mjs            all of them
//   run.mjs --short    a handful: the next ones with every commit; MUTANTS_TURN=1 for those behind them
//   run.mjs NAME ...   these
//   run.mjs --check    only whether each still has its one place in the source
//
// A mutant whose place is no longer in the source, or there twice, is a failure: it must be made to fit
// again.  So is one whose tests do not pass without it.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import mutants from './mutants.mjs';

const HANDFUL = 5;
const SECONDS = 240; // for one build, or the tests of one mutant
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const build = path.resolve(root, process.env.BUILD ?? 'build');
const home = path.join(build, 'mutants');
const tree = path.join(home, 'tree');
const pristine = path.join(home, 'built'); // what `make` made of the tree without a fault

function command(program, args, log, env = {}) {
  const run = spawnSync(program, args, { cwd: tree, encoding: 'utf8', timeout: SECONDS * 1000, killSignal: 'SIGKILL', maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ours would reach a make inside: its flags, its BUILD, its jobs.
    env: { ...process.env, MAKEFLAGS: '', MAKELEVEL: '', MFLAGS: '', BUILD: 'build', BIN: 'build/bin', CC: '', NODE_TEST_CONTEXT: undefined, ...env } });
  if (log) fs.appendFileSync(log, `$ ${[program, ...args].join(' ')}\n${run.stdout}${run.stderr}\n`);
  return { ...run, slow: run.error?.code === 'ETIMEDOUT' };
}
// Files keep their times, so that make knows what it has made; what is shared costs nothing.
const copy = (from, to) => {
  const run = spawnSync('cp', ['-a', '--reflink=auto', ...[from].flat(), to]);
  if (run.status !== 0) throw new Error(`cannot copy ${from}: ${run.stderr}`);
};
const make = (targets, log) => command('make', ['--no-print-directory', '-j2', 'CC=gcc', 'BUILD=build', ...targets], log);

function prepare() {
  fs.rmSync(home, { recursive: true, force: true });
  fs.mkdirSync(path.join(tree, 'build'), { recursive: true });
  copy(['Makefile', 'package.json', 'src', 'cgi-bin', 'sql', 'www', 'deploy', 'tests'].map((name) => path.join(root, name)), tree);
  copy(['bin', 'gen', 'obj', 'test', 'librejoinder.a'].map((name) => path.join(build, name)).filter((name) => fs.existsSync(name)), path.join(tree, 'build'));
  const log = path.join(home, 'build.log');
  if (make(['all'], log).status !== 0) throw new Error(`the tree does not build: ${log}`);
  copy(path.join(tree, 'build'), pristine);
}

// What a `catch` names: 'unit test_x', or 'flow file.test.mjs' with the name of a test behind it, or none.
function parse(line) {
  const [, suite, file, pattern] = /^(unit|flow|served|browser|crash|gen) (\S+)(?: (.+))?$/.exec(line);
  return { suite, file, pattern };
}
const goals = ({ suite, file }) => ({ unit: [`build/test/${file}`], 'box.test.mjs': ['all', 'build/bin/trespasser'] })[suite === 'unit' ? suite : file] ?? ['all'];

// {passed, failed, slow} of the tests that `line` names.
function test(line, log) {
  const { suite, file, pattern } = parse(line);
  if (suite === 'unit') {
    const run = command(`build/test/${file}`, [], log, { CMOCKA_MESSAGE_OUTPUT: 'TAP' });
    const passed = (run.stdout.match(/^ok /gm) ?? []).length;
    return { passed, failed: run.status === 0 ? 0 : Math.max(1, (run.stdout.match(/^not ok /gm) ?? []).length), slow: run.slow };
  }
  if (suite === 'gen') {
    const run = command(`tests/gen/${file}_test.sh`, [`build/bin/${file}`], log);
    return { passed: Number(/^(\d+) passed/m.exec(run.stdout)?.[1] ?? 0), failed: run.status === 0 ? 0 : 1, slow: run.slow };
  }
  const args = ['--test', '--test-reporter=tap', ...(pattern ? [`--test-name-pattern=${pattern}`] : []), `tests/${suite}/${file}`];
  const run = command('node', args, log);
  const count = (what) => Number(new RegExp(`^# ${what} (\\d+)`, 'm').exec(run.stdout)?.[1] ?? 0);
  return { passed: count('pass'), failed: run.status === 0 ? 0 : Math.max(1, count('fail') + count('cancelled')), skipped: count('skipped'), slow: run.slow };
}

// `find` as an expression that does not care how lines are broken.
const pattern = (find) => new RegExp(find.trim().split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('\\s+'), 'g');

// The file's text with the fault in it, or why there is none: {text} or {why}.
function faulty(folder, { file, find, put }) {
  const at = path.join(folder, file);
  if (!fs.existsSync(at)) return { why: `there is no ${file}` };
  const text = fs.readFileSync(at, 'utf8');
  const places = [...text.matchAll(pattern(find))];
  if (places.length !== 1) return { why: `does not apply: its place is ${places.length} times in ${file}` };
  const [{ index, 0: found }] = places;
  return { text: text.slice(0, index) + put + text.slice(index + found.length) };
}
function restore({ file }) {
  if (fs.existsSync(path.join(root, file))) fs.writeFileSync(path.join(tree, file), source.get(file));
  fs.utimesSync(path.join(tree, file), times.get(file), times.get(file));
  fs.rmSync(path.join(tree, 'build'), { recursive: true, force: true });
  copy(pristine, path.join(tree, 'build'));
}

const source = new Map(), times = new Map();
function remember({ file }) {
  const at = path.join(tree, file);
  if (source.has(file) || !fs.existsSync(at)) return;
  source.set(file, fs.readFileSync(at));
  times.set(file, fs.statSync(at).mtime);
}

const good = new Map(); // a `catch` that was seen to pass: '' or what is wrong with it
function goodWithout(line) {
  if (!good.has(line)) {
    const log = path.join(home, `without-${line.replace(/\W+/g, '-').slice(0, 60)}.log`);
    const target = goals(parse(line));
    if (target[0] !== 'all' && make(target, log).status === 0) {
      fs.rmSync(pristine, { recursive: true, force: true });
      copy(path.join(tree, 'build'), pristine);
    }
    const result = test(line, log);
    if (result.failed > 0) good.set(line, { failed: `${line} fails without any fault: ${log}` });
    else if (result.passed === 0) good.set(line, result.skipped > 0 ? { skipped: `${line} skips all of its tests here` } : { failed: `${line} has no test` });
    else good.set(line, {});
  }
  return good.get(line);
}

// {failed: why}, {skipped: why} or {}.
function tryMutant(mutant) {
  const lines = [mutant.catch].flat();
  for (const line of lines) {
    const state = goodWithout(line);
    if (state.failed || state.skipped) return state;
  }
  remember(mutant);
  const log = path.join(home, `${mutant.name}.log`);
  const { why, text } = faulty(tree, mutant);
  if (why) return { failed: why };
  fs.writeFileSync(path.join(tree, mutant.file), text);
  try {
    for (const line of lines) {
      const built = make(goals(parse(line)), log);
      if (built.status !== 0) return { failed: `does not build: ${log}` };
      const result = test(line, log);
      if (result.failed > 0) return { how: result.slow ? `${line}, by its time` : line };
    }
    return { failed: `SURVIVED ${lines.join(' and ')}: ${log}` };
  } finally {
    restore(mutant);
  }
}

function chosen(args) {
  const names = args.filter((arg) => !arg.startsWith('-'));
  const unknown = names.filter((name) => !mutants.some((one) => one.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`no mutant is called ${unknown.join(', ')}\n`);
    process.exit(2);
  }
  if (names.length > 0) return mutants.filter((one) => names.includes(one.name));
  if (!args.includes('--short')) return mutants;
  // By the number of commits: the same tree has the same handful, and in time each has its turn.
  const commits = Number(spawnSync('git', ['rev-list', '--count', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout) || 0;
  const from = (commits * 2 + Number(process.env.MUTANTS_TURN ?? 0)) * HANDFUL;
  const quick = mutants.filter((one) => !one.slow);
  return Array.from({ length: HANDFUL }, (_, i) => quick[(from + i) % quick.length]);
}

const USAGE = `usage: run.mjs [--short | --check | NAME ...]
  (nothing)  plants every fault, one after the other, which takes long
  --short    a handful; MUTANTS_TURN=1 takes those behind them
  --check    only whether each still has its one place in the source
  NAME ...   these
`;
if (process.argv.includes('--help')) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const options = process.argv.slice(2).filter((arg) => arg.startsWith('-'));
const strange = options.filter((arg) => !['--short', '--check'].includes(arg));
if (strange.length > 0 || (options.length > 0 && process.argv.length > 3)) {
  process.stderr.write(`${strange.length > 0 ? `unknown option ${strange[0]}` : `${options[0]} stands alone`}\n${USAGE}`);
  process.exit(2);
}

const names = mutants.map((one) => one.name);
if (new Set(names).size !== names.length) throw new Error('two mutants have one name');
if (process.argv.includes('--check')) {
  const lost = mutants.map((one) => ({ ...one, ...faulty(root, one) })).filter((one) => one.why);
  for (const { name, why } of lost) console.log(`not ok - ${name}: ${why}`);
  process.exit(lost.length > 0 ? 1 : 0);
}
const list = chosen(process.argv.slice(2));
prepare();
const sum = { passed: 0, failed: 0, skipped: 0 };
for (const mutant of list) {
  const began = Date.now();
  const { failed, skipped, how } = tryMutant(mutant);
  const seconds = `${((Date.now() - began) / 1000).toFixed(0)} s`;
  if (failed) console.log(`not ok - ${mutant.name}: ${failed}`);
  else console.log(`${skipped ? 'skipped' : 'caught '} ${mutant.name} (${skipped ?? how}, ${seconds})`);
  sum[failed ? 'failed' : skipped ? 'skipped' : 'passed']++;
}
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exitCode = sum.failed > 0 ? 1 : 0;
