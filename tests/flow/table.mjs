// table.mjs - reads the .table files: a row a line, cells between bars, `#` begins a comment line, the
// first row names the columns.
//
// A change is a list of words that make another submission of a good one:
//
//   name="x"       the field has this value;  "a"*80+"b" repeats and joins
//   -email         the field is not sent
//   parent=$held   a value that the test prepared
//   @method=PUT    not a field, but how it is sent (the test says what it knows)
//
// In quotes \n \r \t \" \\ are as usual, \xff is one byte (of UTF-8 or not), \u{1F600} a character,
// \b a bar.
import fs from 'node:fs';

export function readTable(url) {
  const lines = fs.readFileSync(url, 'utf8').split('\n')
    .map((line, i) => ({ line, number: i + 1 })).filter(({ line }) => line.trim() !== '' && !line.startsWith('#'));
  const cells = (line) => line.split('|').map((cell) => cell.trim());
  const columns = cells(lines[0].line);
  return lines.slice(1).map(({ line, number }) => {
    const row = cells(line);
    if (row.length !== columns.length) throw new Error(`${url}: line ${number} has ${row.length} cells, not ${columns.length}`);
    return { ...Object.fromEntries(columns.map((column, i) => [column, row[i]])), number };
  });
}

const PLAIN = { n: '\n', r: '\r', t: '\t', b: '|', '"': '"', '\\': '\\' };

function unquote(text) {
  const parts = [];
  for (const [all, hex, point, plain] of text.matchAll(/\\x([0-9a-f]{2})|\\u\{([0-9A-Fa-f]+)\}|\\(.)|[^\\]+/g)) {
    if (hex !== undefined) parts.push(Buffer.from(hex, 'hex'));
    else if (point !== undefined) parts.push(Buffer.from(String.fromCodePoint(Number.parseInt(point, 16))));
    else if (plain !== undefined) {
      if (!(plain in PLAIN)) throw new Error(`\\${plain} means nothing`);
      parts.push(Buffer.from(PLAIN[plain]));
    } else parts.push(Buffer.from(all));
  }
  return Buffer.concat(parts);
}

// "x"*3+"y", a bare word, or $prepared; a Buffer.
export function evaluate(text, prepared = {}) {
  const parts = [];
  let rest = text;
  while (rest !== '') {
    const match = rest.match(/^(?:"((?:[^"\\]|\\.)*)"|\$(\w+)|([^"$+*\s]+))(?:\*(\d+))?(?:\+(?=.)|$)/);
    if (!match) throw new Error(`not a value: ${text}`);
    const [all, quoted, variable, bare, times] = match;
    if (variable !== undefined && !(variable in prepared)) throw new Error(`nobody prepared $${variable}`);
    const one = quoted !== undefined ? unquote(quoted) : Buffer.from(String(variable !== undefined ? prepared[variable] : bare));
    for (let i = Number(times ?? 1); i > 0; i--) parts.push(one);
    rest = rest.slice(all.length);
  }
  return Buffer.concat(parts);
}

// The words of a change: [{kind: 'set' | 'drop' | 'how', name, value}].
export function changes(text, prepared) {
  const words = text.match(/(?:"(?:[^"\\]|\\.)*"|[^\s"])+/g) ?? [];
  return words.map((word) => {
    if (word.startsWith('-')) return { kind: 'drop', name: word.slice(1) };
    const how = word.startsWith('@'), at = word.indexOf('=');
    const name = word.slice(how ? 1 : 0, at < 0 ? undefined : at);
    return { kind: how ? 'how' : 'set', name, value: at < 0 ? Buffer.from('1') : evaluate(word.slice(at + 1), prepared) };
  });
}
