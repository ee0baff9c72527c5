// The checkout as a Map of path to text, and what the checks share.  A check is a function of such a
// Map, so that a fault is planted in a copy of it and the checkout stays as it is.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const LEFT_OUT = new Set(['.git', 'build', 'node_modules']);

export function readTree(root = ROOT) {
  const tree = new Map();
  const walk = (folder) => {
    for (const one of fs.readdirSync(path.join(root, folder), { withFileTypes: true })) {
      const at = path.posix.join(folder, one.name);
      if (one.isDirectory() && !LEFT_OUT.has(one.name)) walk(at);
      else if (one.isFile()) tree.set(at, fs.readFileSync(path.join(root, at), 'latin1'));
    }
  };
  walk('');
  return tree;
}

export const files = (tree, pattern) => [...tree.keys()].filter((name) => pattern.test(name)).sort();
export const PRODUCT = /^(src|cgi-bin)\/[^/]*\.[ch]$/;
export const lineOf = (text, index) => text.slice(0, index).split('\n').length;

// C without its comments, with or without the text of its literals: what is left out becomes blanks,
// so that lines and columns stay.
export function code(text, { strings = false } = {}) {
  const blank = (s) => s.replace(/[^\n]/g, ' ');
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'/g,
    (found) => {
      if (found[0] === '/') return blank(found);
      return strings ? found : found[0] + blank(found.slice(1, -1)) + found[0];
    });
}

// The string literals of a C file outside of #include: {at, text}.
export function literals(text) {
  return [...code(text, { strings: true }).matchAll(/"((?:\\[\s\S]|[^"\\\n])*)"/g)]
    .filter((m) => !/^\s*#\s*include/.test(text.slice(text.lastIndexOf('\n', m.index) + 1, m.index + 1)))
    .map((m) => ({ at: lineOf(text, m.index), text: m[1] }));
}

// The functions of a C file in the project's style: {name, at, lines, isStatic}.  The return type is on
// the line before the name, and the braces of the body stand at the line's beginning.
export function functions(text) {
  const lines = code(text).split('\n');
  const found = [];
  for (let open = 0; open < lines.length; open++) {
    if (lines[open] !== '{') continue;
    let head = open - 1;
    while (head > 0 && !/^[A-Za-z_]\w*\(/.test(lines[head])) head--;
    const close = lines.indexOf('}', open);
    const name = /^[A-Za-z_]\w*/.exec(lines[head])?.[0];
    if (name && close > 0) found.push({ name, at: head + 1, lines: close - open - 1, isStatic: /\bstatic\b/.test(lines[head - 1] ?? '') });
    open = close > 0 ? close : open;
  }
  return found;
}
