// Apache with the files of deploy/apache, which take all that differs from definitions: nothing in
// them is replaced.
import fs from 'node:fs';
import path from 'node:path';
import { begin } from '../lib/instance.mjs';
import { answering, root } from '../served/nginx.mjs';

const MODULES = '/usr/lib/apache2/modules';
// What Debian switches on, and what the heads of the files ask for.
const COMMON = ['mpm_event', 'authz_core', 'authz_host', 'alias', 'mime', 'dir', 'env', 'setenvif', 'deflate', 'filter', 'negotiation', 'reqtimeout', 'autoindex', 'rewrite', 'headers', 'asis', 'include'];
const KINDS = {
  'proxy-fcgi': { modules: ['proxy', 'proxy_fcgi'], file: 'rejoinder.conf' },
  fcgid: { modules: ['fcgid'], file: 'rejoinder-fcgid.conf' },
  cgi: { modules: ['cgid', 'actions'], file: 'rejoinder-cgi.conf' },
};

// The shipped file once more, in a virtual host of its own or in the one that is there.
function secondSite({ it, port, documentRoot, second, file }) {
  if (second === undefined) return '';
  const define = `Define REJOINDER_SITE shop\nDefine REJOINDER_PUBLIC ${it.public}/shop`;
  if (second.host === undefined) return `${define}\nDefine REJOINDER_MOUNT ${second.mount}/\nInclude "\${REJOINDER_ETC}/${file}"`;
  return `<VirtualHost 127.0.0.1:${port}>\nServerName ${second.host}\nDocumentRoot "${documentRoot}"\n${define}\nInclude "\${REJOINDER_ETC}/${file}"\n</VirtualHost>`;
}

export async function start({ it, dir, port, documentRoot, mount, programs, cgi, kind, server = '', embed, everywhere = false, pasted, without = [], second, tls }) {
  const { modules, file } = KINDS[kind];
  // What `rejoinder snippet apache` prints: indented lines, first those for the virtual host.
  const lines = pasted?.split('\n').filter((line) => /^ {4}(Define|Include|Options|Add)/.test(line)).map((line) => line.trim().replace('/etc/rejoinder/apache', `${root}/deploy/apache`));
  const host = lines?.filter((line) => /^(Define|Include)/.test(line)).join('\n') ?? `Define REJOINDER_MOUNT ${mount}/\nInclude "\${REJOINDER_ETC}/${file}"`;
  const another = secondSite({ it, port, documentRoot, second, file });
  const articles = lines?.filter((line) => /^(Options|Add)/.test(line)).join('\n') ?? 'Options +Includes\nAddOutputFilter INCLUDES .html';
  const configuration = `
ServerRoot "${dir}"
ServerName localhost
Listen 127.0.0.1:${port}
PidFile "${dir}/apache.pid"
DefaultRuntimeDir "${dir}"
Mutex file:${dir} default
ErrorLog "${dir}/error.log"
LogLevel warn
${[...COMMON, ...modules, ...(tls ? ['ssl'] : [])].filter((name) => !without.includes(name)).map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
${kind === 'fcgid' ? `FcgidIPCDir "${dir}"\nFcgidProcessTableFile "${dir}/fcgid.shm"\nFcgidConnectTimeout 1` : ''}
${kind === 'cgi' ? `ScriptSock "${dir}/cgid.sock"` : ''}
StartServers 1
ThreadsPerChild 50
MaxRequestWorkers 100
TypesConfig /etc/mime.types
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined
<Directory />
	Options FollowSymLinks
	AllowOverride None
	Require all denied
</Directory>
Define REJOINDER_ETC ${root}/deploy/apache
Define REJOINDER_RUN ${it.dir}/run
Define REJOINDER_PUBLIC ${it.public}/main
Define REJOINDER_STATIC ${root}/www/static
Define REJOINDER_PROGRAMS ${programs}
Define REJOINDER_CGI ${cgi}
${embed ? `Define REJOINDER_ORIGINS "${embed.replaceAll('.', '\\.')}"` : ''}
${everywhere ? host : ''}
<VirtualHost 127.0.0.1:${port}>
	DocumentRoot "${documentRoot}"
	CustomLog "${dir}/access.log" combined env=!rejoinder-private
	DirectoryIndex index.html
	<Directory "${documentRoot}">
		Options Indexes FollowSymLinks
		${articles}
		AllowOverride All
		Require all granted
	</Directory>
	${server}
	${tls ? `SSLEngine on\n\tSSLCertificateFile "${tls.certificate}"\n\tSSLCertificateKeyFile "${tls.key}"` : ''}
	${everywhere ? '' : host}
	${second?.host ? '' : another}
</VirtualHost>
${second?.host ? another : ''}
`;
  fs.writeFileSync(path.join(dir, 'apache.conf'), configuration);
  fs.writeFileSync(path.join(documentRoot, 'front-controller.html'), 'front controller');
  // A front controller, as many sites have one: it must not get what is ours.
  fs.writeFileSync(path.join(documentRoot, '.htaccess'), `RewriteEngine On
RewriteCond %{REQUEST_FILENAME} !-f
RewriteCond %{REQUEST_FILENAME} !-d
RewriteRule . /front-controller.html [L]
`);
  const child = begin('apache2', ['-f', path.join(dir, 'apache.conf'), '-DFOREGROUND', '-d', dir], { cwd: dir });
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
