// What bash completes for rejoinder: all that its usage names.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { BIN, ROOT } from '../lib/instance.mjs';

const has = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const COMPLETION = path.join(ROOT, 'completions/rejoinder');

// What is offered for the last of the words, in the folder of the checkout.
function complete(...words) {
  const script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _rejoinder; printf "%s\\n" "${COMPREPLY[@]}"';
  const run = spawnSync('bash', ['-c', script, 'bash', COMPLETION, path.join(BIN, 'rejoinder'), ...words], { encoding: 'utf8', cwd: ROOT });
  assert.equal(run.stderr, '');
  return run.stdout.split('\n').filter(Boolean);
}

test('bash completes every command, option and file that the usage names', { skip: has('bash') ? false : 'no bash' }, () => {
  const help = spawnSync(path.join(BIN, 'rejoinder'), ['--help'], { encoding: 'utf8' }).stdout;
  const commands = [...help.matchAll(/^ {2}([a-z]+)(?: (.*))?$/gm)].map(([, name, usage = '']) => ({ name, usage }));
  assert.ok(commands.length >= 10);
  assert.deepEqual(complete(''), [...commands.map(({ name }) => name), '--config', '--help', '--version']);
  assert.deepEqual(complete('ch'), ['check']);
  assert.deepEqual(complete('--config', 'READ'), ['README.md']);
  for (const { name, usage } of commands) {
    const offered = complete('-c', 'a.conf', name, '');
    const wanted = ['--help', ...usage.matchAll(/--[a-z-]+/g)].map(String);
    if (/^[a-z]/.test(usage)) wanted.push(...usage.split(' ')[0].split('|'));
    for (const word of wanted) assert.ok(offered.includes(word), `${name}: ${word} among ${offered}`);
    assert.equal(offered.includes('README.md'), /FILE/.test(usage), `${name}: files`);
    assert.ok(offered.every((word) => word.startsWith('--') || wanted.includes(word) || /FILE/.test(usage)), `${name}: ${offered}`);
  }
  assert.deepEqual(complete('init', '--under', 'dep'), ['deploy']);
  assert.ok(complete('init', '--').includes('--document-root'));
  assert.deepEqual(complete('moderator', 'dis'), ['disable']);
  assert.ok(!complete('moderator', 'add', '').includes('add'), 'once');
});
