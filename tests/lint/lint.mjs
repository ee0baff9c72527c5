// lint.mjs - runs every check on the checkout, then plants each check's faults in a copy of it and
// expects a complaint that was not there before.
import { readTree } from './tree.mjs';
import { layers, openings } from './layers.mjs';
import { banned, comparisons, long, markup, modules, sql, waits } from './style.mjs';
import { pagesUsed, queries, words } from './unused.mjs';
import { stored } from './privacy.mjs';
import { blanks, conflicts, endings, indents, large } from './files.mjs';

const CHECKS = {
  'each floor knows only those below it': layers,
  'commands give root up': openings,
  'no banned function': banned,
  'no SQL in C': sql,
  'no markup in C': markup,
  'no function is too long': long,
  'a module exports its own name': modules,
  'secrets are compared by secret_same': comparisons,
  'what waits goes by a clock that nobody sets': waits,
  'every word is said': words,
  'every query is asked': queries,
  'every template is shown': pagesUsed,
  'the privacy page tells of all that is stored': stored,
  'no blanks at the end of a line': blanks,
  'files end with one line end': endings,
  'nothing is left of a merge': conflicts,
  'no large files': large,
  'C is indented with tabs': indents,
};

const tree = readTree();
let passed = 0;
let failed = 0;
function tell(good, name, wrong = []) {
  if (good) passed++;
  else failed++;
  if (!good) console.log([`not ok - ${name}`, ...wrong.slice(0, 40).map((one) => `  ${one}`)].join('\n'));
}

for (const [name, check] of Object.entries(CHECKS)) {
  const wrong = check(tree);
  tell(wrong.length === 0, name, wrong);
  if (check.note) console.log(`${name}: ${check.note(tree)}`);
  for (const [fault, plant] of Object.entries(check.faults)) {
    const copy = new Map(tree);
    plant(copy);
    tell(check(copy).length > wrong.length, `${name}: does not notice ${fault}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
