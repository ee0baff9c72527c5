// Slow clients behind an nginx that passes bodies on as they come: they wait, and nobody else does.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { sleep } from '../lib/instance.mjs';
import { behindNginx } from './behind.mjs';
import { request } from './nginx.mjs';

const WORKERS = 2, SLOW = 12; // more of them than workers
let all;
before(async () => {
  // What an owner may write: `buffering` off for the doors' location, the only one that takes bodies.
  all = await behindNginx({ edit: (text) => text.replaceAll(/fastcgi_request_buffering \w+;/g, 'fastcgi_request_buffering off;') });
  all.it.configure({ top: { workers: WORKERS } });
  await all.it.restart('reader');
});
after(async () => all?.tidy());

test('a byte a second, unbuffered: others are answered at once, the slow ones when they have said all', async () => {
  const { it, port } = all;
  const body = Buffer.from(JSON.stringify(it.goodReply({ comment: 'A slow word, and another one. '.repeat(300) })));
  const head = `POST /comments/reply HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\nAccept: application/json\r\n` +
    `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  const peers = Array.from({ length: SLOW }, () => {
    const socket = net.connect(port, '127.0.0.1');
    const peer = { socket, text: '' };
    socket.on('data', (data) => { peer.text += data; });
    socket.on('error', () => {});
    peer.over = new Promise((resolve) => socket.on('close', resolve));
    socket.write(head);
    socket.write(body.subarray(0, 6000)); // as much as would once have been enough for a worker
    return peer;
  });
  try {
    await sleep(300);
    const times = [];
    for (let i = 0; i < 5; i++) {
      peers.forEach(({ socket }) => socket.write(body.subarray(6000 + i, 6001 + i)));
      const began = Date.now();
      assert.equal((await request(port, 'GET', '/comments/form?page=/a')).status, 200);
      times.push(Date.now() - began);
      await sleep(1000);
    }
    assert.ok(Math.min(...times) < 1000 && Math.max(...times) < 10000, `others waited ${times} ms`);
    for (const { text } of peers) assert.equal(text, '', 'nobody was answered before it was heard');
    peers[0].socket.write(body.subarray(6005));
    await Promise.race([peers[0].over, sleep(15000)]);
    assert.match(peers[0].text, /^HTTP\/1\.1 201\b/);
  } finally {
    peers.forEach(({ socket }) => socket.destroy());
  }
});
