// canary.mjs - forms that an address could hide in, and where they are found.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { walk } from './instance.mjs';

const withCase = (text) => [...new Set([text, text.toLowerCase(), text.toUpperCase(), [...text].map((c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())).join('')])];
const percent = (text) => [...Buffer.from(text)].map((b) => `%${b.toString(16).padStart(2, '0')}`).join('');

// Where `bytes` begin within a group of three decides their base64: the part that no neighbour changes.
function base64s(bytes) {
  return [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64').replace(/=+$/, '');
    const sure = text.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
    return [sure, sure.replace(/\+/g, '-').replace(/\//g, '_')];
  });
}

// Every form of a text that somebody could undo, or find by trying: {name, bytes, anyCase}.
export function formsOf(text) {
  const forms = [];
  const add = (name, value, anyCase = true) => forms.push({ name, bytes: Buffer.isBuffer(value) ? value : Buffer.from(value), anyCase });
  add('as it is', text);
  add('reversed', [...text].reverse().join(''));
  add('with @ encoded', text.replace('@', '%40'));
  add('percent-encoded', percent(text));
  add('in character references', [...text].map((c) => `&#${c.codePointAt(0)};`).join(''));
  add('in UTF-16', Buffer.from(text, 'utf16le'));
  add('with @ spelt', text.replace('@', ' at '));
  for (const spelt of withCase(text)) {
    add('hex', Buffer.from(spelt).toString('hex'));
    for (const one of base64s(Buffer.from(spelt))) add('base64', one, false);
    for (const algorithm of ['md5', 'sha1', 'sha256', 'sha512', 'blake2b512']) {
      const digest = createHash(algorithm).update(spelt).digest();
      add(`${algorithm}, hex`, digest.toString('hex'));
      add(`${algorithm}, bytes`, digest, false);
      for (const one of base64s(digest)) add(`${algorithm}, base64`, one, false);
    }
  }
  return forms.filter((one) => one.bytes.length >= 8);
}
// latin1 keeps every byte, and lower case of it is the same length.
const lower = (bytes) => bytes.toString('latin1').replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());

// What of `forms` is in the places ({name, bytes}): ["email, sha1, hex in public/…"].
export function search(places, forms) {
  const hits = [];
  for (const { name, bytes } of places) {
    const folded = lower(bytes);
    for (const form of forms) {
      if (form.anyCase ? folded.includes(lower(form.bytes)) : bytes.includes(form.bytes)) hits.push(`${form.what}, ${form.name}, in ${name}`);
    }
  }
  return hits;
}

export const files = (folder) => walk(folder).map((file) => ({ name: path.relative(folder, file), bytes: fs.readFileSync(file) }));
