// Takes the README's pictures from a running demo: `make demo`, then in another terminal
//
//     node docs/screenshots/shoot.mjs
//
// It reads build/demo/demo.json, changes nothing but one sign-in, and squeezes the pictures with
// pngquant where that is installed.
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const here = path.dirname(fileURLToPath(import.meta.url));
const demo = JSON.parse(fs.readFileSync(process.argv[2] ?? path.join(here, '../../build/demo/demo.json'), 'utf8'));
const file = (name) => path.join(here, `${name}.png`);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-proxy-server'],
});
const open = async (height) => (await browser.newContext({
  javaScriptEnabled: false, colorScheme: 'light', viewport: { width: 680, height },
})).newPage();

const article = await open(1000);
await article.goto(demo.article);
const top = (await article.locator('section.rejoinder').boundingBox()).y - 30;
const form = await article.locator('form').boundingBox();
await article.screenshot({ path: file('thread'), fullPage: true,
  clip: { x: 0, y: top, width: 680, height: form.y + form.height + 30 - top } });

const queue = await open(1560);
await queue.goto(demo.moderate);
await queue.fill('input[name=name]', demo.name);
await queue.fill('input[name=password]', demo.password);
await queue.click('form[action$="sign-in"] button');
await queue.screenshot({ path: file('queue') });
await browser.close();

for (const name of ['thread', 'queue'])
  spawnSync('pngquant', ['--force', '--skip-if-larger', '--strip', '--ext', '.png', '64', file(name)], { stdio: 'inherit' });
