// lighttpd with the files of deploy/lighttpd, whose first lines name the paths; the server around them
// is what Debian's own lighttpd.conf says.
import fs from 'node:fs';
import path from 'node:path';
import { begin } from '../lib/instance.mjs';
import { answering, root } from '../served/nginx.mjs';
import { copyOf } from './second.mjs';

const KINDS = { fastcgi: 'rejoinder.conf', cgi: 'rejoinder-cgi.conf' };

export async function start({ it, dir, port, documentRoot, mount, cgi, kind, server = '', second }) {
  const values = { mount, public: `${it.public}/main`, static: `${root}/www/static`, run: `${it.dir}/run`, cgi, etc: `${root}/deploy/lighttpd` };
  const set = (text, changed) => Object.entries(changed).reduce((all, [name, value]) => all.replace(new RegExp(`^(var\\.rejoinder_${name} *= )".*?"`, 'm'), `$1"${value}"`), text);
  fs.writeFileSync(path.join(dir, 'rejoinder.conf'), set(fs.readFileSync(path.join(root, 'deploy/lighttpd', KINDS[kind]), 'utf8'), values));
  if (second) fs.writeFileSync(path.join(dir, 'second.conf'), set(copyOf(`lighttpd/${KINDS[kind]}`, second), { ...values, mount: '/comments', public: `${it.public}/shop` }));
  fs.mkdirSync(path.join(dir, 'uploads'));
  fs.writeFileSync(path.join(dir, 'lighttpd.conf'), `
server.modules = ( "mod_indexfile", "mod_access", "mod_alias", "mod_redirect", "mod_accesslog" )
server.document-root = "${documentRoot}"
server.upload-dirs = ( "${dir}/uploads" )
server.errorlog = "${dir}/error.log"
server.bind = "127.0.0.1"
server.port = ${port}
server.http-parseopts = ( "header-strict" => "enable", "host-strict" => "enable", "host-normalize" => "enable",
  "url-normalize-unreserved" => "enable", "url-normalize-required" => "enable", "url-ctrls-reject" => "enable",
  "url-path-2f-decode" => "enable", "url-path-dotseg-remove" => "enable" )
index-file.names = ( "index.php", "index.html" )
url.access-deny = ( "~", ".inc" )
static-file.exclude-extensions = ( ".php", ".pl", ".fcgi" )
mimetype.assign = ( ".html" => "text/html", ".css" => "text/css", "" => "application/octet-stream" )
accesslog.filename = "${dir}/access.log"
${server}
include "rejoinder.conf"
${second ? `$HTTP["host"] =~ "^${second.host}(:|$)" { include "second.conf" }` : ''}
server.modules += ( "mod_dirlisting", "mod_staticfile" )
`);
  const child = begin('lighttpd', ['-D', '-f', path.join(dir, 'lighttpd.conf')], { cwd: dir });
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
