// Caddy with deploy/caddy/rejoinder.caddy; only the paths that its head names are changed.
import fs from 'node:fs';
import path from 'node:path';
import { begin } from '../lib/instance.mjs';
import { answering, root } from '../served/nginx.mjs';
import { copyOf } from './second.mjs';

export async function start({ it, dir, port, documentRoot, mount, server = '', second }) {
  const placed = (text) => text.replaceAll('/var/lib/rejoinder/public', it.public)
    .replaceAll('/usr/share/rejoinder/static', `${root}/www/static`)
    .replaceAll('unix//run/rejoinder/', `unix/${it.dir}/run/`);
  fs.writeFileSync(path.join(dir, 'rejoinder.caddy'), placed(fs.readFileSync(path.join(root, 'deploy/caddy/rejoinder.caddy'), 'utf8').replaceAll('/comments', mount)));
  if (second) fs.writeFileSync(path.join(dir, 'second.caddy'), placed(copyOf('caddy/rejoinder.caddy', second)));
  fs.writeFileSync(path.join(dir, 'Caddyfile'), `{
	admin off
	auto_https off
	storage file_system ${dir}/storage
	log {
		output file ${dir}/error.log
	}
}
import rejoinder.caddy
${second ? 'import second.caddy' : ''}

${second ? `http://${second.host}:${port} {\n\tbind 127.0.0.1\n\timport shop\n\troot * ${documentRoot}\n\tfile_server\n}` : ''}
http://:${port} {
	bind 127.0.0.1
	log {
		output file ${dir}/access.log
	}
	${server}
	import rejoinder
	root * ${documentRoot}
	file_server
}
`);
  const child = begin('caddy', ['run', '--config', path.join(dir, 'Caddyfile'), '--adapter', 'caddyfile'], { cwd: dir, env: { ...process.env, XDG_CONFIG_HOME: dir, XDG_DATA_HOME: dir } });
  const read = (name) => (fs.existsSync(path.join(dir, name)) ? fs.readFileSync(path.join(dir, name), 'utf8') : '');
  const stop = async () => {
    child.kill('SIGTERM');
    await child.over;
  };
  await answering(port, child, () => child.stderrText + read('error.log')).catch(async (error) => {
    await stop();
    throw error;
  });
  return { stop, log: () => read('access.log') };
}
