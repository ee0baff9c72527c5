// second.mjs - a second site: what docs/deploy.md says to type for its configuration, typed.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { root } from '../served/nginx.mjs';

/**
 * The text of the copy of deploy/FILE that the document makes for a site «shop», of which `second.host` says whether it
 * stands on a host of its own; else it has another mount point on the same one.
 */
export function copyOf(file, { host }) {
  const lines = fs.readFileSync(path.join(root, 'docs/deploy.md'), 'utf8').split('\n')
    .filter((line) => line.startsWith('sed ') && line.includes(`/etc/rejoinder/${file} >`) && /\/shop\.\w+$/.test(line));
  const wanted = lines.filter((line) => line.includes('/comments') === (host === undefined));
  if (wanted.length !== 1) throw new Error(`docs/deploy.md has ${wanted.length} lines for ${file}`);
  const [script, from] = /^(sed .*) (\/etc\/rejoinder\/\S+) >\S+$/.exec(wanted[0]).slice(1);
  return execFileSync('sh', ['-c', `${script} "$1"`, 'sh', path.join(root, 'deploy', from.replace('/etc/rejoinder/', ''))], { encoding: 'utf8' });
}
