// slowly.mjs - peers that are slower than the door likes, and silent ones, behind a web server that leaves it to the
// door to look at the clock: nobody waits for them, and the door drops them when their time is over.
import assert from 'node:assert/strict';
import net from 'node:net';
import { sleep } from '../lib/instance.mjs';

const WORKERS = 2, EACH = 5; // of each kind more than workers
const DROPPED = /^HTTP\/1\.1 (?:408|50[0-9])\b/;

/** `stand` is {it, port, get, again}, where `again` starts the doors anew; `step(title, work)` counts. */
export async function slowly({ it, port, get, again }, step) {
  it.configure({ top: { workers: WORKERS } });
  await again();
  const words = (times) => Buffer.from(JSON.stringify(it.goodReply({ comment: '世界の言葉、'.repeat(times) })));
  const begun = (body, first) => {
    const socket = net.connect(port, '127.0.0.1');
    const peer = { socket, body, sent: first, text: '', closed: false };
    socket.on('data', (data) => { peer.text += data; });
    socket.on('error', () => {});
    socket.on('close', () => { peer.closed = true; });
    if (body !== undefined) {
      socket.write(`POST /comments/reply HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\nAccept: application/json\r\n` +
        `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`);
      socket.write(body.subarray(0, first));
    }
    return peer;
  };
  const some = (make) => Array.from({ length: EACH }, make);
  const silent = some(() => begun());
  // Less than a web server might keep in memory, and more.
  const short = some(() => begun(words(300), 4000));
  const long = some(() => begun(words(1500), 25000));
  const mute = some(() => begun(words(1500), 25000));
  const slow = [...short, ...long];
  const waits = (peer) => !peer.closed && peer.text === '';
  // A byte of each, and somebody else's request; true if that was answered while all of them waited.
  const second = async () => {
    for (const peer of slow) if (!peer.closed) peer.socket.write(peer.body.subarray(peer.sent, ++peer.sent));
    assert.equal((await get('/comments/form?page=/news/harbor')).status, 200);
    const overtook = [...slow, ...mute].every(waits);
    await sleep(1000);
    return overtook;
  };
  try {
    await step('a byte a second, and none at all: others overtake them, and the slow ones are answered when they have said all', async () => {
      for (let i = 0; i < 3; i++) assert.ok(await second(), 'somebody else was answered while all of them waited');
      for (const peer of [short[0], long[0]]) {
        peer.socket.write(peer.body.subarray(peer.sent));
        for (let tries = 0; !peer.closed && tries < 300; tries++) await sleep(100);
        assert.match(peer.text, /^HTTP\/1\.1 201\b/);
        peer.sent = peer.body.length;
      }
    });
    await step('who speaks to the door still, or says no more, is dropped after its time', async () => {
      const late = slow.filter((peer) => peer.sent < peer.body.length);
      const cut = () => (it.logs.reader.match(/a connection was cut after \d+ s/g) ?? []).length;
      for (let i = 0; i < 80 && (late.some((peer) => peer.text === '') || cut() < late.length + mute.length); i++) await second();
      for (const peer of late) assert.match(peer.text, DROPPED);
      assert.ok(cut() >= late.length + mute.length, `the door cut ${cut()} of ${late.length + mute.length}`);
    });
  } finally {
    [...silent, ...slow, ...mute].forEach(({ socket }) => socket.destroy());
  }
}
