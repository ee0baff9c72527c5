// nginx with deploy/nginx/rejoinder.conf: tests/served knows how.
import path from 'node:path';
import { startNginx } from '../served/nginx.mjs';

export async function start({ it, dir, port, documentRoot, mount, server, embed }) {
  const nginx = await startNginx({ edit: (text) => (embed ? text.replace(/# (?=add_header (?:Access-Control|Vary))/g, '') : text),
    http: embed && `map $http_origin $rejoinder_origin { default ""; "${embed}" $http_origin; }`,
    dir, port, documentRoot, mount, server, publicMain: path.join(it.public, 'main'), run: path.join(it.dir, 'run') });
  return { stop: nginx.stop, log: () => nginx.log('access.log') };
}
