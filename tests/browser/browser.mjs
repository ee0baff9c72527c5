// Debian's Chromium, driven by playwright-core, in front of an instance behind nginx with the demo
// newspaper as its site.  A `visit` watches what no page may do: ask a third party for something,
// break its Content-Security-Policy, complain on the console.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import * as runner from 'node:test';
import { chromium } from 'playwright-core';
import { behindNginx } from '../served/behind.mjs';
import { root } from '../served/nginx.mjs';

export const ARTICLE = '/world/astana-summit';
export const SCREENSHOTS = path.join(root, 'build/screenshots');

const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run',
  // Names other than localhost lead nowhere, so that a request to a third party fails at once.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost'];

// A question to a page (`evaluate`, a body, closing) waits for its answer for ever.  So that a browser that
// stands still costs minutes and not hours, each test and hook has its time, and then the file is ended and tells
// where it stood.  tests/run-node knows these words.
const PATIENCE = 150000; // ms; the longest test takes 25 s on a quiet machine, 50 s on a busy one
const browsers = [];
function standStill(what) {
  const pages = browsers.flatMap((browser) => browser.contexts()).flatMap((context) => context.pages()).map((page) => page.url());
  console.error(`stood still: ${what}; open pages: ${pages.join(' ') || 'none'}; waits for: ${process.getActiveResourcesInfo().join(' ')}`);
  process.exit(1);
}
const patiently = (what, run) => async (...own) => {
  const timer = setTimeout(standStill, PATIENCE, what);
  try { return await run(...own); } finally { clearTimeout(timer); }
};
export const test = (name, run) => runner.test(name, patiently(name, run));
export const before = (run) => runner.before(patiently('before the tests', run));
export const beforeEach = (run) => runner.beforeEach(patiently('before a test', run));
// What was started is asked to end; of a browser that does not, nothing more is wanted than that this file ends.
export const after = (run) => runner.after(async () => {
  await patiently('after the tests', run)();
  setTimeout(() => {
    console.error(`ended, though this was not over: ${process.getActiveResourcesInfo().join(' ')}`);
    process.exit();
  }, 5000).unref();
});
/** Closes a browser, or gives it up after half a minute: it goes with this process at the latest. */
export async function close(browser) {
  let timer;
  const late = new Promise((resolve) => { timer = setTimeout(resolve, 30000); });
  await Promise.race([browser.close(), late]);
  clearTimeout(timer);
}

export async function launch() {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGS });
  browsers.push(browser);
  return browser;
}

export async function open({ site } = {}) {
  const all = await behindNginx({ documentRoot: path.join(root, 'www/demo'), site, server: `
    error_page 404 /404.html;
    add_header Content-Security-Policy "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'" always;` });
  let browser;
  const tidy = async () => { try { if (browser) await close(browser); } finally { await all.tidy(); } };
  try {
    browser = await launch();
  } catch (error) {
    await tidy(); // a web server that goes on running would keep the test from ending
    throw error;
  }
  fs.mkdirSync(SCREENSHOTS, { recursive: true });
  return { ...all, browser, tidy };
}

// Loading a page that answers 4xx or 503 is told on the console; the test knows.
const EXPECTED = /^Failed to load resource: the server responded with a status of (4\d\d|503)/;

/** A person at a browser of their own.  `options` are playwright's; without JavaScript by default. */
export async function visit({ browser, base }, options = {}) {
  const context = await browser.newContext({ baseURL: base, javaScriptEnabled: false, viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(10000);
  const page = await context.newPage();
  const complaints = [];
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== base && url.protocol !== 'data:' && url.protocol !== 'blob:') complaints.push(`asked a third party: ${url}`);
  });
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !EXPECTED.test(message.text())) complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`script: ${error}`));
  page.on('dialog', (dialog) => { complaints.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on('requestfailed', (request) => {
    // A second click ends the first one's request: the browser's own doing.
    const why = request.failure()?.errorText;
    if (why !== 'net::ERR_ABORTED') complaints.push(`failed: ${request.url()} ${why}`);
  });
  return { page, context, complaints,
    leave: async () => { await context.close(); assert.deepEqual(complaints, []); } };
}

/** Presses what leads to another page, and waits until that is there. */
export async function press(page, button) {
  const isPage = (response) => response.request().isNavigationRequest() && ![301, 302, 303].includes(response.status());
  await Promise.all([page.waitForResponse(isPage), button.click()]);
  await page.waitForLoadState();
}

/** The button of the reply form. */
export const sendButton = (page) => page.locator('form[action$="/comments/reply"] button');

/** Types a reply into the form of the page that is open. */
export async function fill(page, { comment, name, email, website }) {
  if (comment !== undefined) await page.fill('textarea[name=comment]', comment);
  if (name !== undefined) await page.fill('input[name=name]', name);
  if (email !== undefined) await page.fill('input[name=email]', email);
  if (website !== undefined) await page.fill('input[name=website]', website);
}

/** Types it and sends it. */
export async function reply(page, fields) {
  await fill(page, fields);
  await press(page, sendButton(page));
}

export async function signIn(page, { name, password }) {
  await page.goto('/comments/moderate/');
  await page.fill('input[name=name]', name);
  await page.fill('input[name=password]', password);
  await press(page, page.locator('form[action$="sign-in"] button'));
}

/** For people to look at; nothing is asserted of them, and they take a good part of the time: SHOTS=1 makes them. */
export const shot = async (page, name) => {
  if (process.env.SHOTS === '1') await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`), fullPage: true, timeout: 60000 });
};
