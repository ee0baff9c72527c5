// Slow and silent clients behind an nginx that passes bodies on as they come.
import { after, before, test } from 'node:test';
import { behindNginx } from './behind.mjs';
import { slowly } from './slowly.mjs';

let all;
before(async () => {
  // What an owner may write: `buffering` off for the doors' location, the only one that takes bodies.
  all = await behindNginx({ edit: (text) => text.replaceAll(/fastcgi_request_buffering \w+;/g, 'fastcgi_request_buffering off;') });
});
after(async () => all?.tidy());

test('behind nginx, unbuffered', async (t) => {
  await slowly({ it: all.it, port: all.port, get: all.nginx.get, again: () => all.it.restart('reader') }, (title, work) => t.test(title, work));
});
