// nginx with deploy/nginx/rejoinder.conf: tests/served knows how.
import fs from 'node:fs';
import path from 'node:path';
import { snippet, startNginx } from '../served/nginx.mjs';
import { copyOf } from './second.mjs';

// A copy of the file for the second site, in a server of its own or in the one that is there.
function secondSite({ it, dir, port, documentRoot, second }) {
  if (second === undefined) return {};
  fs.mkdirSync(dir, { recursive: true });
  fs.writeFileSync(path.join(dir, 'second.conf'), snippet({ text: copyOf('nginx/rejoinder.conf', second), publicMain: '', run: path.join(it.dir, 'run') })
    .replaceAll('/var/lib/rejoinder/public', it.public));
  const include = 'include second.conf;';
  return second.host === undefined ? { server: include }
    : { server: 'server_name localhost;', http: `server { listen 127.0.0.1:${port}; server_name ${second.host}; root "${documentRoot}"; ssi on; ${include} }` };
}

export async function start({ it, dir, port, documentRoot, mount, server = '', embed, second, tls, hsts }) {
  const another = secondSite({ it, dir, port, documentRoot, second });
  const nginx = await startNginx({ edit: (text) => (embed ? text.replace(/# (?=add_header (?:Access-Control|Vary))/g, '') : text).replace('set $rejoinder_hsts "";', hsts ? `set $rejoinder_hsts "${hsts}";` : '$&'),
    http: embed ? `map $http_origin $rejoinder_origin { default ""; "${embed}" $http_origin; }` : another.http,
    dir, port, documentRoot, mount, tls, server: `${server} ${another.server ?? ''}`, publicMain: path.join(it.public, 'main'), run: path.join(it.dir, 'run') });
  return { stop: nginx.stop, log: () => nginx.log('access.log') };
}
