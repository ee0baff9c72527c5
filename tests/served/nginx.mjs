// nginx with the shipped deploy/nginx/rejoinder.conf, on a free port of 127.0.0.1.  Only the four
// paths that its head names are changed; the server around it is the owner's part.
import { spawn, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

// TREE names a copy of the checkout's deploy/ and www/, for whoever may not read the checkout.
export const root = process.env.TREE ?? path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Ports that speak TLS, with a certificate that nobody signed. */
export const secured = new Set();
/** Makes such a certificate in `dir`; {certificate, key}, two files. */
export function selfSigned(dir) {
  const files = { certificate: path.join(dir, 'tls.pem'), key: path.join(dir, 'tls.key') };
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-keyout', files.key, '-out', files.certificate], { stdio: 'pipe' });
  return files;
}

/**
 * One request with the path's bytes as they are (no client-side tidying of dots or escapes).  A header
 * that is undefined is not sent.
 */
export function request(port, method, target, { headers = {}, body } = {}) {
  const all = { Host: `localhost:${port}`, ...(body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }), ...headers };
  const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new Promise((resolve, reject) => {
    const tls = secured.has(port);
    const req = (tls ? https : http).request({ host: '127.0.0.1', port, method, path: target, agent: false, headers: sent, ...(tls && { rejectUnauthorized: false }) }, (res) => {
      const parts = [];
      res.on('data', (part) => parts.push(part));
      res.on('error', reject);
      res.on('end', () => {
        const bytes = Buffer.concat(parts);
        resolve({ status: res.statusCode, headers: res.headers, bytes, text: bytes.toString('utf8') });
      });
    });
    req.on('error', reject);
    req.end(body);
  });
}

/** The shipped file, or `text`, with other paths. */
export function snippet({ publicMain, staticDir = path.join(root, 'www/static'), run, mount = '/comments', text }) {
  return (text ?? fs.readFileSync(path.join(root, 'deploy/nginx/rejoinder.conf'), 'utf8'))
    .replace(mount === '' ? /^location = \/comments \{.*\n/m : '', '').replaceAll('/comments', mount)
    .replaceAll('/var/lib/rejoinder/public/main', publicMain)
    .replaceAll('/usr/share/rejoinder/static', staticDir)
    .replaceAll('/run/rejoinder/', `${run}/`);
}

/** Waits until `port` answers anything; `child` is the server, `why` tells what it logged. */
export async function answering(port, child, why) {
  for (let tries = 0; ; tries++) {
    try {
      return await request(port, 'GET', '/');
    } catch (error) {
      if (tries > 200 || child.exitCode !== null) throw new Error(`the server does not answer: ${why()}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

const running = new Set();
process.on('exit', () => { for (const child of running) child.kill('SIGTERM'); });

const TYPES = 'types { text/html html; text/css css; text/javascript js; image/svg+xml svg; }';

/**
 * Starts nginx in the folder `dir`, which also holds its logs (access.log, error.log).  `server` is
 * text for the server section, such as `ssi on;`, `http` for what is around it, `tls` what selfSigned made, and `edit` changes the
 * shipped file as an owner would.
 */
export async function startNginx({ dir, port, documentRoot, publicMain, run, mount, server = '', http = '', edit = (text) => text, connections = 256, tls }) {
  port ??= await freePort();
  fs.mkdirSync(dir, { recursive: true });
  fs.writeFileSync(path.join(dir, 'rejoinder.conf'), edit(snippet({ publicMain, run, mount }), dir));
  const temporary = ['client_body', 'fastcgi', 'proxy', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path tmp_${name};`).join(' ');
  fs.writeFileSync(path.join(dir, 'nginx.conf'), `${process.getuid() === 0 ? 'user root;' : ''}
daemon off; worker_processes 1; worker_rlimit_nofile ${2 * connections + 64}; pid nginx.pid; error_log error.log info;
events { worker_connections ${connections}; }
http {
  ${TYPES} default_type application/octet-stream; charset utf-8; ${temporary}
  access_log access.log;
  ${http}
  server {
    listen 127.0.0.1:${port}${tls ? ` ssl; ssl_certificate "${tls.certificate}"; ssl_certificate_key "${tls.key}"` : ''};
    root "${documentRoot}"; index index.html; ssi on; ${server}
    include rejoinder.conf;
  }
}
`);
  const args = ['-e', 'error.log', '-p', `${dir}/`, '-c', 'nginx.conf'];
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };
  execFileSync('nginx', ['-t', '-q', ...args], { env, stdio: 'pipe' });
  const child = spawn('nginx', args, { env, stdio: 'ignore' });
  running.add(child);
  const ended = new Promise((resolve) => child.once('exit', () => { running.delete(child); resolve(); }));
  try {
    await answering(port, child, () => fs.readFileSync(path.join(dir, 'error.log'), 'utf8'));
  } catch (error) {
    child.kill('SIGTERM');
    await ended;
    throw error;
  }
  const log = (name) => fs.readFileSync(path.join(dir, name), 'utf8');
  return { port, dir, log,
    ask: (method, target, options) => request(port, method, target, options),
    get: (target, headers) => request(port, 'GET', target, { headers }),
    stop: async () => { child.kill('SIGTERM'); await ended; } };
}

export function makeFolder(name = 'rejoinder served') {
  return fs.mkdtempSync(path.join(os.tmpdir(), `${name} `));
}
