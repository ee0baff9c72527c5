// Takes the README's pictures from a running demo: `make demo`, then in another terminal
//
//     node docs/screenshots/shoot.mjs
//
// It reads build/demo/demo.json, signs in, decides about one reply and takes that back, and squeezes
// the pictures with pngquant where that is installed.
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
const open = async (options) => (await browser.newContext({
  javaScriptEnabled: false, colorScheme: 'light', reducedMotion: 'reduce', ...options,
})).newPage();

const article = await open({ viewport: { width: 680, height: 1000 } });
await article.goto(demo.article);
const top = (await article.locator('section.rejoinder').boundingBox()).y - 30;
const form = await article.locator('form').boundingBox();
await article.screenshot({ path: file('thread'), fullPage: true,
  clip: { x: 0, y: top, width: 680, height: form.y + form.height + 30 - top } });

const signIn = async (page) => {
  await page.goto(demo.moderate);
  await page.fill('input[name=name]', demo.name);
  await page.fill('input[name=password]', demo.password);
  await page.click('form[action$="sign-in"] button');
  await page.waitForSelector('#replies');
  return page;
};

const queue = await signIn(await open({ viewport: { width: 900, height: 1060 } }));
await queue.screenshot({ path: file('queue') });
const one = await queue.locator('article.reply a.open').first().getAttribute('href');
await queue.goto(new URL(one, demo.moderate).href);
await queue.screenshot({ path: file('reply') });
await queue.goto(new URL('log', demo.moderate).href);
await queue.setViewportSize({ width: 1100, height: 760 });
await queue.screenshot({ path: file('log') });

// With the script: a decision in place, a reply that is chosen by the keyboard.
const dark = await signIn(await open({ javaScriptEnabled: true, colorScheme: 'dark', viewport: { width: 900, height: 760 } }));
for (const key of 'ja') await dark.keyboard.press(key);
await dark.locator('.outcome').waitFor();
await dark.keyboard.press('x');
await dark.evaluate(() => scrollTo(0, 0));
await dark.screenshot({ path: file('queue-dark') });
await dark.keyboard.press('z');
await dark.locator('.outcome').waitFor({ state: 'detached' });
await dark.keyboard.press('?');
await dark.locator('dialog.keys').screenshot({ path: file('keys') });

const phone = await signIn(await open({ viewport: { width: 360, height: 740 } }));
await phone.screenshot({ path: file('queue-phone') });
await browser.close();

for (const name of ['thread', 'queue', 'queue-dark', 'queue-phone', 'reply', 'log', 'keys'])
  spawnSync('pngquant', ['--force', '--skip-if-larger', '--strip', '--ext', '.png', '64', file(name)], { stdio: 'inherit' });
