// stand.mjs - an instance, its articles and its doors behind one of the web servers.
//
//   const one = await stand('nginx');
//   await one.get('/comments/health');
//   await one.down();               both programs are stopped, and cannot be started
//   await one.spy();                in their place programs that answer with what they were asked
//   await one.up();
//   await one.tidy();
import fs from 'node:fs';
import path from 'node:path';
import { BIN, makeInstance, sleep } from '../lib/instance.mjs';
import { EDITOR } from '../served/behind.mjs';
import { freePort, request, root, secured, selfSigned } from '../served/nginx.mjs';
import { respond } from '../served/responder.mjs';
import * as apache from './apache.mjs';
import * as caddy from './caddy.mjs';
import * as lighttpd from './lighttpd.mjs';
import * as nginx from './nginx.mjs';
import { article, PAGES, QUIET } from './story.mjs';

// Each adapter is given {it, dir, port, documentRoot, mount, programs, kind}, and gives {stop, log}.
export const SERVERS = {
  nginx: { start: nginx.start, can: { includes: true } },
  'apache-proxy-fcgi': { start: apache.start, kind: 'proxy-fcgi', can: { includes: true } },
  'apache-fcgid': { start: apache.start, kind: 'fcgid', programs: true, slow: true, can: { includes: true } },
  lighttpd: { start: lighttpd.start, kind: 'fastcgi', can: { includes: false } },
  caddy: { start: caddy.start, follows: true, can: { includes: false } },
  'cgi-apache': { start: apache.start, kind: 'cgi', programs: true, can: { includes: true } },
  'cgi-lighttpd': { start: lighttpd.start, kind: 'cgi', programs: true, can: { includes: false } },
};

/* --- doors that we start, each on its socket --------------------------------------------------- */

function ourDoors(it) {
  const doors = ['reader', 'moderator'];
  let spies = [];
  const dismiss = async () => {
    for (const spy of spies) await spy.close();
    spies = [];
  };
  const down = async () => {
    await dismiss();
    for (const door of doors) await it.stop(door);
  };
  return { down,
    up: async () => {
      await down();
      for (const door of doors) await it.start(door);
    },
    spy: async () => {
      await down();
      for (const door of doors) {
        fs.rmSync(it.socket(door), { force: true });
        spies.push(await respond(it.socket(door), (params) => ({ body: JSON.stringify({ door, params }) })));
      }
    } };
}

/* --- doors that the server starts -------------------------------------------------------------- */

// All processes whose command line names our folder of programs, or our configuration.
function running(it) {
  return fs.readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)).filter((pid) => {
    try {
      const words = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return words.slice(0, 2).some((word) => /(reader|moderator)\.fcgi$|spy\.mjs$/.test(word)) && words.some((word) => word.startsWith(it.dir));
    } catch {
      return false;
    }
  }).map(Number);
}

function theirDoors(it, programs, slow) {
  const put = (command) => {
    for (const door of ['reader', 'moderator']) {
      fs.writeFileSync(path.join(programs, `${door}.fcgi.new`), `#!/bin/sh\n${command(door)}\n`, { mode: 0o755 });
      fs.renameSync(path.join(programs, `${door}.fcgi.new`), path.join(programs, `${door}.fcgi`));
    }
  };
  const end = async () => {
    for (let tries = 0; running(it).length > 0 && tries < 150; tries++) {
      for (const pid of running(it)) {
        try {
          process.kill(pid, tries < 100 ? 'SIGTERM' : 'SIGKILL');
        } catch { /* it has gone meanwhile */ }
      }
      await sleep(100);
    }
  };
  const gone = async () => {
    for (const door of ['reader', 'moderator']) fs.rmSync(path.join(programs, `${door}.fcgi`), { force: true });
    await end();
  };
  // A server that tries for long to start a program is given one that hangs up at once.
  const down = async () => {
    await gone();
    if (slow) put(() => `exec '${process.execPath}' '${root}/tests/servers/spy.mjs' away '${it.dir}'`);
  };
  return { down, gone,
    up: async () => {
      await gone();
      put((door) => `exec ${BIN}/${door}.fcgi --config '${it.config}'`);
    },
    spy: async () => {
      await gone();
      put((door) => `exec '${process.execPath}' '${root}/tests/servers/spy.mjs' ${door} '${it.dir}'`);
    } };
}

// deploy/cgi with the paths of an instance.
export function cgiFolder(it, programs) {
  const folder = path.join(it.dir, 'cgi');
  fs.cpSync(path.join(root, 'deploy/cgi'), folder, { recursive: true });
  for (const name of ['bridge.sh', 'stand-in.cgi']) {
    const file = path.join(folder, name);
    const text = fs.readFileSync(file, 'utf8').replace('/usr/local/lib/rejoinder', programs)
      .replace('/etc/rejoinder/rejoinder.conf', it.config).replace('/var/lib/rejoinder/public/main', `${it.public}/main`)
      .replace('/run/rejoinder', `${it.dir}/run`);
    fs.writeFileSync(file, text);
  }
  return folder;
}

/* --- all of it --------------------------------------------------------------------------------- */

export async function stand(name, { mount = '/comments', site = {}, snippet, second, secure = false, ...options } = {}) {
  const server = SERVERS[name];
  const it = await makeInstance();
  const port = await freePort();
  const base = `${secure ? 'https' : 'http'}://localhost:${port}`;
  if (secure) {
    secured.add(port);
    options.tls = selfSigned(it.dir);
  }
  const documentRoot = path.join(it.dir, 'site');
  for (const page of [...PAGES, QUIET]) {
    fs.mkdirSync(path.join(documentRoot, page), { recursive: true });
    fs.writeFileSync(path.join(documentRoot, page, 'index.html'), article(mount, page));
  }
  it.configure({ site: { base, mount, document_root: documentRoot, ...site } });
  if (second) {
    fs.writeFileSync(path.join(it.dir, 'shop.words'), 'thread.empty = Nobody has bought anything yet.\n');
    it.configure({ sites: { shop: { base: second.host ? `http://${second.host}:${port}` : base, mount: second.mount, words: path.join(it.dir, 'shop.words') } } });
  }
  if (mount !== '/comments' || second) it.mustCli(['publish', '--all']);
  if (snippet) {
    options.pasted = it.mustCli(['snippet', snippet, '/news/harbor']).stdout;
    fs.writeFileSync(path.join(documentRoot, 'news/harbor/index.html'), `before ${/<!--#include.*-->/.exec(options.pasted)[0]} after`);
  }
  it.addModerator(EDITOR.name, EDITOR.password);
  const dir = path.join(it.dir, 'server');
  const programs = path.join(it.dir, 'programs');
  fs.mkdirSync(dir);
  fs.mkdirSync(programs);
  const doors = server.programs ? theirDoors(it, programs, server.slow) : ourDoors(it);
  await doors.up();
  let running;
  try {
    running = await server.start({ it, dir, port, documentRoot, mount, programs, cgi: cgiFolder(it, programs), kind: server.kind, second, ...options });
  } catch (error) {
    await doors.down();
    throw error;
  }
  // A host that is Rejoinder's alone has no articles.
  const shop = second && { it, port, mount: second.mount, host: second.host && `${second.host}:${port}`, base: second.host ? `http://${second.host}:${port}` : base };
  return { it, name, port, base, mount, shop, follows: server.follows === true, can: { includes: server.can.includes && mount !== '' }, ...doors,
    ask: (method, target, request_options) => request(port, method, target, request_options),
    get: (target, headers) => request(port, 'GET', target, { headers }),
    // Servers write their logs when they like.
    log: async (enough) => {
      let text = '';
      for (let tries = 0; tries < 60 && !enough(text); tries++) {
        await sleep(100);
        text = running.log();
      }
      return text;
    },
    tidy: async () => {
      await (doors.gone ?? doors.down)();
      await running.stop();
      if (process.env.KEEP) fs.cpSync(dir, path.join(root, 'kept', name), { recursive: true, filter: (from) => !fs.lstatSync(from).isSocket() });
      await it.tidy();
    } };
}
