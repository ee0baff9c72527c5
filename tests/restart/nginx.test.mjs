// The long form, through nginx: restarts under load, and more clients than the socket was once good for.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makeInstance } from '../lib/instance.mjs';
import { supervise, underLoad, until } from '../lib/life.mjs';
import { freePort, request, startNginx } from '../served/nginx.mjs';

const REQUESTS = Number(process.env.RESTART_REQUESTS ?? 10000), RESTARTS = Number(process.env.RESTARTS ?? 20);
const MANY = Number(process.env.MANY ?? 3000);
let it, held, nginx, port;

before(async () => {
  it = await makeInstance();
  port = await freePort();
  it.configure({ site: { base: `http://localhost:${port}` } });
  held = await supervise(it);
  const documentRoot = path.join(it.dir, 'site');
  fs.mkdirSync(documentRoot);
  fs.writeFileSync(path.join(documentRoot, 'index.html'), 'here');
  nginx = await startNginx({ dir: path.join(it.dir, 'nginx'), port, documentRoot, publicMain: path.join(it.public, 'main'),
    run: path.join(it.dir, 'run'), connections: 4 * MANY });
});
after(async () => {
  await nginx?.stop();
  await held?.stop();
  await it?.tidy();
});

const post = (i) => request(port, 'POST', '/comments/reply', { body: JSON.stringify(it.goodReply({ comment: `Through nginx, number ${i}, on a long road.` })),
  headers: { 'Content-Type': 'application/json', Accept: 'application/json' } });

test(`restarts under load (${REQUESTS} requests, ${RESTARTS} restarts): no request fails`, async () => {
  let stored = 0;
  const failures = await underLoad({ n: REQUESTS, clients: 32, times: RESTARTS,
    send: async (i) => {
      const answer = i % 4 === 0 ? await post(i) : await request(port, 'GET', '/comments/form?page=/a');
      assert.equal(answer.status, i % 4 === 0 ? 201 : 200, answer.text.slice(0, 200));
      if (i % 4 === 0) stored++;
    },
    disturb: async (i) => {
      held.signal('SIGTERM');
      await until('the next door', () => held.ready() > i);
    } });
  assert.deepEqual(failures, []);
  assert.equal(it.count(), stored);
  assert.doesNotMatch(nginx.log('error.log'), /upstream|connect\(\)/);
});

test(`${MANY} clients at once: no 502`, async (t) => {
  const granted = Number(fs.readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
  if (granted < MANY) return t.skip(`net.core.somaxconn is ${granted}`);
  // All connect before any of them asks.
  const clients = Array.from({ length: MANY }, () => {
    let go;
    const answer = new Promise((resolve, reject) => {
      const req = http.request({ host: '127.0.0.1', port, path: '/comments/form?page=/a', agent: false, headers: { Host: `localhost:${port}` } }, (res) => {
        res.resume();
        res.on('end', () => resolve(res.statusCode));
      });
      req.on('error', reject);
      go = () => req.end();
      req.flushHeaders();
    });
    return { go, answer };
  });
  clients.forEach(({ go }) => go());
  const counts = {};
  for (const status of await Promise.all(clients.map(({ answer }) => answer))) counts[status] = (counts[status] ?? 0) + 1;
  assert.deepEqual(counts, { 200: MANY });
});
