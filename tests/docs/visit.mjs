// visit.mjs FILE WORDS NAME PASSWORD: what the pages of docs/deploy promise, as a reader and a moderator without
// JavaScript have it on http://localhost: reads the article, replies by the form in it, signs in, approves, and
// reads the reply from FILE, which the web server sends.  Says each step; exits 1 at the first that fails.
// With FILE alone: the article and FILE still show WORDS.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { fieldsOf, forms, fieldOf, replyForm, signedIn, textOf } from '../lib/browserless.mjs';

const BASE = 'http://localhost';
const [file, words, name, password] = process.argv.slice(2);
const included = process.env.INCLUDED === '1';

const ask = ({ method, uri, headers = {}, form }) => new Promise((resolve, reject) => {
  const body = form === undefined ? '' : new URLSearchParams(form).toString();
  const all = { Host: 'localhost', Accept: 'text/html', 'User-Agent': 'tests/1', ...headers };
  if (form !== undefined) Object.assign(all, { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': Buffer.byteLength(body) });
  const sent = http.request({ host: '127.0.0.1', port: 80, path: uri, method: method ?? (form ? 'POST' : 'GET'), headers: all, timeout: 20000, agent: false }, (got) => {
    const parts = [];
    got.on('data', (part) => parts.push(part));
    got.on('end', () => resolve({ status: got.statusCode, text: Buffer.concat(parts).toString(), location: got.headers.location,
      all: (header) => [got.headers[header.toLowerCase()] ?? []].flat(), header: (header) => got.headers[header.toLowerCase()] }));
  });
  sent.on('timeout', () => sent.destroy(new Error(`${uri}: no answer in 20 seconds`)));
  sent.on('error', reject);
  sent.end(body);
});
const path = (location) => new URL(location, BASE).href.slice(BASE.length);
const step = (said) => console.log(`  ${said}`);

// A server that was just started may not listen yet.
async function up(uri) {
  for (let tries = 0; ; tries++) {
    try {
      const answer = await ask({ uri });
      if (answer.status < 500 || tries > 100) return answer;
    } catch (error) {
      if (tries > 100) throw error;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
}

async function shows(uri, yes) {
  // lighttpd remembers for a second or two which file it was.
  for (let tries = 0; ; tries++) {
    const { status, text } = await ask({ uri });
    assert.equal(status, 200, uri);
    if (textOf(text).includes(words) === yes || tries > 50) return assert.equal(textOf(text).includes(words), yes, `${uri} shows the reply: ${!yes}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}
const thread = '/comments/threads/~/thread.html';
async function readAgain() {
  assert.ok(fs.readFileSync(file, 'utf8').includes(words), file);
  await shows(thread, true);
  if (included) await shows('/', true);
}

if (name === undefined) {
  await up('/');
  await readAgain();
  step('with the programs stopped the reply is still read');
} else {
  const article = await up('/');
  assert.equal(article.status, 200);
  assert.match(article.text, included ? /<section class="rejoinder"/ : /data-rejoinder/);
  assert.match(textOf(article.text), /Leave a Reply/);
  assert.doesNotMatch(article.text, /An error occurred|#include/);
  for (const uri of article.text.match(/(?<=(?:src|href)=")\/comments\/static\/[^"]*/g)) assert.equal((await ask({ uri })).status, 200, uri);
  step('the article shows the form');

  const form = replyForm(article.text);
  const typed = { comment: words, name: 'Asel Nurlan', email: 'asel@example.org', website: '' };
  const fields = fieldsOf(form).map(([field, value]) => [field, typed[field] ?? value]);
  const sent = await ask({ uri: form.action, form: fields, headers: { Origin: BASE } });
  assert.equal(sent.status, 303, textOf(sent.text).slice(0, 500));
  const receipt = await ask({ uri: path(sent.location) });
  assert.match(textOf(receipt.text), /waits for a moderator/);
  step('a reply waits');
  if (included) await shows('/', false);

  const moderator = await signedIn({ moderator: ask }, name, password, { origin: BASE });
  const queue = await moderator.get();
  assert.ok(textOf(queue.text).includes(words), 'it is in the queue');
  const decide = forms(queue.text).find((one) => one.action.endsWith('/decide'));
  const id = fieldOf(decide, 'reply').value.split(':')[0];
  const approved = await moderator.approve(id);
  assert.equal(approved.status, 303, textOf(approved.text).slice(0, 500));
  await readAgain();
  assert.match(textOf((await ask({ uri: path(sent.location) })).text), /is published/);
  step(`approved, and read from ${file.replace(/^.*?(?=\/var\/lib)/, '')}${included ? ', and in the article' : ''}`);
}
