// An instance behind nginx: both doors, the shipped configuration, and a folder of articles.
import fs from 'node:fs';
import path from 'node:path';
import { makeInstance } from '../lib/instance.mjs';
import { Moderator } from '../lib/browserless.mjs';
import { freePort, request, startNginx } from './nginx.mjs';

export const EDITOR = { name: 'editor', password: 'a steppe is not a step' };

/**
 * `articles` is {path: text of index.html}, put into a document root of the instance, or
 * `documentRoot` names a folder that is there.  Everything ends with `tidy`.
 */
export async function behindNginx({ articles = {}, documentRoot, site = {}, server, http, edit } = {}) {
  const it = await makeInstance({ site });
  try {
    return await standBehindNginx(it, { articles, documentRoot, server, http, edit });
  } catch (error) {
    await it.tidy(); // doors that go on running would keep the test from ending
    throw error;
  }
}

async function standBehindNginx(it, { articles, documentRoot, server, http, edit }) {
  const port = await freePort();
  const base = `http://localhost:${port}`;
  const siteRoot = documentRoot ?? path.join(it.dir, 'site');
  for (const [page, text] of Object.entries(articles)) {
    fs.mkdirSync(path.join(siteRoot, page), { recursive: true });
    fs.writeFileSync(path.join(siteRoot, page, 'index.html'), text);
  }
  fs.mkdirSync(siteRoot, { recursive: true });
  it.configure({ site: { base, origins: [`http://127.0.0.1:${port}`], document_root: siteRoot } });
  it.addModerator(EDITOR.name, EDITOR.password);
  await it.start('reader');
  await it.start('moderator');
  const nginx = await startNginx({ dir: path.join(it.dir, 'nginx'), port, documentRoot: siteRoot,
    publicMain: path.join(it.public, 'main'), run: path.join(it.dir, 'run'), server, http, edit });
  return { it, nginx, base, port,
    tidy: async () => { await nginx.stop(); await it.tidy(); } };
}

/** A moderator at a browser without JavaScript, through the web server, signed in. */
export async function moderatorAt({ port, base, mount = '/comments', host }) {
  const shim = { moderator: async ({ method, uri: asked, headers = {}, form, address }) => {
    const uri = asked.replace(/^\/comments(?=\/moderate\/)/, mount);
    const body = form === undefined ? undefined : new URLSearchParams(form).toString();
    const all = { Host: host ?? `localhost:${port}`, Accept: 'text/html', ...(body === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' }), ...headers };
    const res = await request(port, method ?? (body === undefined ? 'GET' : 'POST'), uri, { headers: all, body });
    return { status: res.status, text: res.text, header: (name) => res.headers[name.toLowerCase()], address,
      all: (name) => [res.headers[name.toLowerCase()] ?? []].flat() };
  } };
  const moderator = new Moderator(shim, { origin: base });
  const answer = await moderator.signIn(EDITOR.name, EDITOR.password);
  if (answer.status !== 303) throw new Error(`sign-in through the web server: ${answer.status} ${answer.text}`);
  return moderator;
}

/** Posts as JSON through the web server; {id, receipt}. */
export async function post({ it, port, mount = '/comments', host }, fields) {
  const res = await request(port, 'POST', `${mount}/reply`, { body: JSON.stringify(it.goodReply(fields)),
    headers: { Host: host ?? `localhost:${port}`, 'Content-Type': 'application/json', Accept: 'application/json' } });
  if (res.status !== 201) throw new Error(`not taken: ${res.status} ${res.text}`);
  return JSON.parse(res.text);
}
