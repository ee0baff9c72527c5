// fastcgi.mjs - a FastCGI client over a Unix socket (FastCGI specification 1.0), one connection a
// request, as the shipped web servers do it.  The record helpers are exported so that tests can send
// what no web server would.
import net from 'node:net';

export const TYPE = { BEGIN: 1, ABORT: 2, END: 3, PARAMS: 4, STDIN: 5, STDOUT: 6, STDERR: 7 };
const RESPONDER = 1;
const CONTENT_MOST = 65535;

// One record.  `content` is at most 65,535 bytes.
export function record(type, content = Buffer.alloc(0), { id = 1, version = 1, padding = 0 } = {}) {
  const head = Buffer.from([version, type, id >> 8, id & 255, content.length >> 8, content.length & 255, padding, 0]);
  return Buffer.concat([head, content, Buffer.alloc(padding)]);
}

// A stream of records of one type, closed by an empty one.
export function stream(type, content) {
  const records = [];
  for (let at = 0; at < content.length; at += CONTENT_MOST) {
    records.push(record(type, content.subarray(at, at + CONTENT_MOST)));
  }
  return Buffer.concat([...records, record(type)]);
}

export function begin({ keep = false, role = RESPONDER } = {}) {
  return record(TYPE.BEGIN, Buffer.from([role >> 8, role & 255, keep ? 1 : 0, 0, 0, 0, 0, 0]));
}

function length(n) {
  return n < 128 ? Buffer.from([n]) : Buffer.from([(n >>> 24) | 128, (n >>> 16) & 255, (n >>> 8) & 255, n & 255]);
}

// Name-value pairs; values that are undefined are left out.
export function pairs(params) {
  const parts = [];
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined || value === null) continue;
    const n = Buffer.from(name), v = Buffer.isBuffer(value) ? value : Buffer.from(String(value));
    parts.push(length(n.length), length(v.length), n, v);
  }
  return Buffer.concat(parts);
}

// All the bytes of one request.
export function requestBytes(params, body = Buffer.alloc(0)) {
  return Buffer.concat([begin(), stream(TYPE.PARAMS, pairs(params)), stream(TYPE.STDIN, body)]);
}

// The records in `bytes` that are whole.
export function records(bytes) {
  const all = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const size = bytes.readUInt16BE(at + 4);
    if (at + 8 + size > bytes.length) break;
    all.push({ type: bytes[at + 1], id: bytes.readUInt16BE(at + 2), content: bytes.subarray(at + 8, at + 8 + size) });
    at += 8 + size + bytes[at + 6];
  }
  return all;
}

export class Answer {
  constructor(status, headers, body, bytes) {
    Object.assign(this, { status, headers, body, bytes });
  }
  // All the values of a header, in order.
  all(name) {
    return this.headers.filter(([n]) => n.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
  }
  header(name) {
    return this.all(name)[0];
  }
  get text() {
    return this.body.toString('utf8');
  }
  json() {
    return JSON.parse(this.text);
  }
}

// Reads what a door sent: throws unless it is one whole answer.
export function parseAnswer(bytes) {
  const all = records(bytes);
  const out = Buffer.concat(all.filter(({ type }) => type === TYPE.STDOUT).map(({ content }) => content));
  if (!all.some(({ type }) => type === TYPE.END)) throw new Error(`no whole answer in ${bytes.length} bytes`);
  const split = out.indexOf('\r\n\r\n');
  if (split < 0) throw new Error('an answer without a head');
  const headers = out.subarray(0, split).toString('latin1').split('\r\n').map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const status = headers.find(([name]) => name.toLowerCase() === 'status');
  return new Answer(status ? Number.parseInt(status[1], 10) : 200, headers, out.subarray(split + 4), out);
}

// A connection for tests that send by hand.
export class Peer {
  constructor(path) {
    this.chunks = [];
    this.closed = false;
    this.socket = net.createConnection({ path, allowHalfOpen: true });
    this.socket.on('data', (chunk) => this.chunks.push(chunk));
    // A door that hangs up on nonsense is no error of the test.
    this.ended = new Promise((resolve) => {
      this.socket.on('end', resolve);
      this.socket.on('error', (error) => { this.error = error; resolve(); });
      this.socket.on('close', () => { this.closed = true; resolve(); });
    });
    this.ready = new Promise((resolve, reject) => {
      this.socket.once('connect', resolve);
      this.socket.once('error', reject);
    });
    this.ready.catch(() => {});
  }
  send(bytes) {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }
  get bytes() {
    return Buffer.concat(this.chunks);
  }
  // Neither answered nor hung up on yet.
  get waits() {
    return !this.closed && !this.socket.readableEnded && this.chunks.length === 0;
  }
  // Waits for the end of what the door sends; false when `ms` pass before.
  async end(ms = 10000) {
    let timer;
    const late = new Promise((resolve) => { timer = setTimeout(() => resolve('late'), ms); });
    const first = await Promise.race([this.ended, late]);
    clearTimeout(timer);
    return first !== 'late';
  }
  close() {
    this.socket.destroy();
  }
}

// Sends one request and waits for its whole answer.
export async function request(path, params, body = Buffer.alloc(0), { timeout = 20000 } = {}) {
  const peer = new Peer(path);
  try {
    await peer.ready;
    peer.socket.write(requestBytes(params, body));
    if (!(await peer.end(timeout))) throw new Error(`no answer within ${timeout} ms`);
    return parseAnswer(peer.bytes);
  } finally {
    peer.close();
  }
}

// The parameters that a web server passes for an HTTP request; `headers` by their HTTP names.
export function parameters({ method = 'GET', uri = '/', headers = {}, address = '192.0.2.1', site, length: size } = {}) {
  const params = {
    GATEWAY_INTERFACE: 'CGI/1.1',
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_SOFTWARE: 'tests',
    REQUEST_METHOD: method,
    REQUEST_URI: uri,
    QUERY_STRING: uri.includes('?') ? uri.slice(uri.indexOf('?') + 1) : '',
    CONTENT_TYPE: '',
    CONTENT_LENGTH: size === undefined || size === 0 ? '' : String(size),
    REMOTE_ADDR: address,
    SERVER_NAME: 'localhost',
    SERVER_PORT: '8080',
    HTTP_HOST: 'localhost:8080',
    REJOINDER_SITE: site,
  };
  for (const [name, value] of Object.entries(headers)) {
    if (name.toLowerCase() === 'content-type') params.CONTENT_TYPE = value;
    else params[`HTTP_${name.toUpperCase().replace(/-/g, '_')}`] = value;
  }
  return params;
}
