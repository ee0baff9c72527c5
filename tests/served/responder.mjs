// A FastCGI responder for tests of web-server configuration: it answers what the test says and keeps
// the parameters that the web server sent.  One request a connection, as nginx does by default.
import net from 'node:net';

const END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6;

function record(type, id, content) {
  const head = Buffer.alloc(8);
  head.writeUInt8(1, 0);
  head.writeUInt8(type, 1);
  head.writeUInt16BE(id, 2);
  head.writeUInt16BE(content.length, 4);
  return Buffer.concat([head, content]);
}

// Lengths below 128 take one byte, others four with the highest bit set.
function pairs(buffer) {
  const found = {};
  let at = 0;
  const length = () => {
    if (buffer[at] < 128) return buffer[at++];
    const n = buffer.readUInt32BE(at) & 0x7fffffff;
    at += 4;
    return n;
  };
  while (at < buffer.length) {
    const name = length(), value = length();
    const key = buffer.toString('latin1', at, at + name);
    if (key in found) throw new Error(`parameter ${key} came twice`);
    found[key] = buffer.toString('latin1', at + name, at + name + value);
    at += name + value;
  }
  return found;
}

function answerBytes(answer) {
  const head = Object.entries({ Status: answer.status ?? 200, 'Content-Type': 'text/plain; charset=utf-8', ...answer.headers });
  return Buffer.from(`${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${answer.body ?? ''}`);
}

/**
 * Listens on the Unix socket `path`, or on the one inherited as {fd}.  `answer(params, body)` gives `{status, headers, body}`.
 * `seen` holds `{params, body}` of every request; parameters are bytes as latin1.
 */
export async function respond(path, answer = () => ({ body: 'from the door' })) {
  const seen = [];
  const server = net.createServer((socket) => {
    let pending = Buffer.alloc(0), params = Buffer.alloc(0), body = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      pending = Buffer.concat([pending, data]);
      while (pending.length >= 8) {
        const type = pending[1], id = pending.readUInt16BE(2), length = pending.readUInt16BE(4);
        const whole = 8 + length + pending[6];
        if (pending.length < whole) return;
        const content = pending.subarray(8, 8 + length);
        pending = pending.subarray(whole);
        if (type === PARAMS) params = Buffer.concat([params, content]);
        if (type !== STDIN) continue;
        if (length > 0) {
          body = Buffer.concat([body, content]);
          continue;
        }
        const request = { params: pairs(params), body };
        seen.push(request);
        const bytes = answerBytes(answer(request.params, body));
        for (let at = 0; at < bytes.length; at += 65535)
          socket.write(record(STDOUT, id, bytes.subarray(at, at + 65535)));
        socket.write(record(STDOUT, id, Buffer.alloc(0)));
        socket.end(record(END, id, Buffer.alloc(8)));
      }
    });
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(path, resolve));
  return { seen, close: () => new Promise((resolve) => server.close(resolve)) };
}
