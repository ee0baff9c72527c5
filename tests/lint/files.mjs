// What holds for every file, whatever is in it.
import { files, lineOf } from './tree.mjs';

const BINARY = /\.(png|jpe?g|webp|gif|ico|woff2?|gz|db|bin)$/;
// Others' text is kept as it came; fuzz corpora are bytes.
const AS_IT_CAME = /^(tests\/fuzz\/(corpus|seeds?)\/|LICENSES?\/)/;
const LARGEST = 200 * 1024;

const text = (tree) => files(tree, /./).filter((name) => !BINARY.test(name) && !AS_IT_CAME.test(name));
// Written out as it must come out, with its blanks.
const BLANKS_MATTER = /^tests\/gen\/\w+_test\.sh$/;
const each = (pattern, what) => (tree) => text(tree).flatMap((name) => [...tree.get(name).matchAll(pattern)]
  .map((m) => `${name}:${lineOf(tree.get(name), m.index)}: ${what}`));
const plant = (name, add) => (tree) => tree.set(name, tree.get(name) + add);

export const blanks = (tree) => each(/[ \t]+$/gm, 'blanks at the end of a line')(tree).filter((one) => !BLANKS_MATTER.test(one.split(':')[0]));
blanks.faults = { 'a blank at the end of a line': plant('Makefile', 'words \n'), 'a tab in an empty line': plant('src/str.c', '\t\n') };
export const endings = (tree) => [...each(/\r/g, 'a carriage return')(tree), ...each(/^\ufeff|^\xef\xbb\xbf/g, 'a byte order mark')(tree),
  ...text(tree).filter((name) => tree.get(name) !== '' && !tree.get(name).endsWith('\n')).map((name) => `${name}: does not end with a line's end`),
  ...text(tree).filter((name) => tree.get(name).endsWith('\n\n')).map((name) => `${name}: ends with an empty line`)];
endings.faults = { 'a carriage return': plant('src/str.c', '\r\n'), 'no line end': plant('src/str.c', '/* */'), 'an empty line at the end': plant('src/str.c', '\n') };
export const conflicts = each(/^(<{7}|>{7}|={7})( |$)/gm, 'left by a merge');
conflicts.faults = { 'a mark of a merge': plant('src/str.c', `${'<'.repeat(7)} HEAD\n`) };
export const large = (tree) => files(tree, /./).filter((name) => tree.get(name).length > LARGEST)
  .map((name) => `${name}: ${Math.round(tree.get(name).length / 1024)} KiB; more than ${LARGEST / 1024} KiB does not belong into a source tree`);
large.faults = { 'a large file': (tree) => tree.set('docs/large.md', 'x'.repeat(LARGEST + 1)) };
// Indentation by .editorconfig, in C only: tabs; blanks may align what follows, never begin a line by fours.
export const indents = (tree) => files(tree, /^(src|cgi-bin|tests)\/.*\.[ch]$/).flatMap((name) => [...tree.get(name).matchAll(/^ {8}/gm)]
  .map((m) => `${name}:${lineOf(tree.get(name), m.index)}: indented with blanks`));
indents.faults = { 'blanks for a tab': plant('src/str.c', '        int a;\n') };
