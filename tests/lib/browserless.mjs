// browserless.mjs - what a browser without JavaScript does with our pages: cookies, forms, links.
// It reads HTML well enough for pages that we make ourselves (quoted attributes, closed elements),
// and no better.
import { BASE, freshAddress } from './instance.mjs';

const NAMED = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };

export function decode(html) {
  return html.replace(/&(?:#(\d+)|#x([0-9a-f]+)|([a-z]+));/gi, (all, decimal, hex, name) => {
    if (name !== undefined) return NAMED[name.toLowerCase()] ?? all;
    return String.fromCodePoint(decimal !== undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });
}

// The text that somebody sees, more or less.
export function textOf(html) {
  return decode(html.replace(/<(script|style)\b[\s\S]*?<\/\1>/gi, '').replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ').trim();
}

function attributes(source) {
  const all = {};
  for (const [, name, quoted] of source.matchAll(/([^\s=/>"]+)(?:="([^"]*)")?/g)) {
    all[name.toLowerCase()] = quoted === undefined ? '' : decode(quoted);
  }
  return all;
}

// Every tag in order: {name, closing, attributes, at, end}.
export function tags(html) {
  const all = [];
  for (const match of html.matchAll(/<(\/?)([a-z][a-z0-9-]*)((?:\s+[^\s=/>"]+(?:="[^"]*")?)*)\s*\/?>|<!--[\s\S]*?-->/gi)) {
    if (match[2] === undefined) continue;
    all.push({ name: match[2].toLowerCase(), closing: match[1] !== '', attributes: attributes(match[3]),
      at: match.index, end: match.index + match[0].length });
  }
  return all;
}

// The first element that `fits` (a function of its opening tag): {tag, inner, outer}, or undefined.
export function element(html, fits, all = tags(html)) {
  const begin = all.findIndex((tag) => !tag.closing && fits(tag));
  if (begin < 0) return undefined;
  const { name, at, end } = all[begin];
  let depth = 0;
  for (const tag of all.slice(begin)) {
    if (tag.name !== name) continue;
    depth += tag.closing ? -1 : 1;
    if (depth === 0) return { tag: all[begin], inner: html.slice(end, tag.at), outer: html.slice(at, tag.end) };
  }
  return { tag: all[begin], inner: '', outer: html.slice(at, end) };
}
export const byId = (html, id) => element(html, (tag) => tag.attributes.id === id);

// All the elements that `fit`, also those within each other.
export function elements(html, fits) {
  const all = tags(html), found = [];
  for (let i = 0; i < all.length; i++) {
    if (!all[i].closing && fits(all[i])) found.push(element(html, (tag) => tag === all[i], all));
  }
  return found;
}

function control(html, all, i) {
  const { name, attributes: own, end } = all[i];
  const one = { name: own.name, kind: name, type: own.type ?? (name === 'button' ? 'submit' : 'text'), value: own.value ?? '',
    form: own.form, attributes: own, disabled: 'disabled' in own, checked: 'checked' in own };
  if (name === 'textarea') {
    const close = html.indexOf('</textarea', end);
    // A browser drops the first newline of a textarea.
    one.value = decode(html.slice(end, close)).replace(/^\r?\n/, '');
  }
  if (name === 'select') {
    const options = [];
    for (const tag of all.slice(i + 1)) {
      if (tag.name === 'select') break;
      if (tag.name === 'option' && !tag.closing) options.push(tag.attributes);
    }
    one.options = options.map((option) => option.value);
    one.value = (options.find((option) => 'selected' in option) ?? options[0])?.value ?? '';
  }
  return one;
}

// The forms of a page: {action, method, id, controls}. Controls elsewhere join by their form attribute.
export function forms(html) {
  const all = tags(html), found = [], loose = [];
  let open = null;
  for (let i = 0; i < all.length; i++) {
    const tag = all[i];
    if (tag.name === 'form') {
      open = tag.closing ? null : { action: tag.attributes.action ?? '', method: (tag.attributes.method ?? 'get').toLowerCase(),
        id: tag.attributes.id, attributes: tag.attributes, at: tag.at, controls: [] };
      if (open) found.push(open);
    } else if (!tag.closing && ['input', 'textarea', 'select', 'button'].includes(tag.name)) {
      const one = control(html, all, i);
      if (one.form !== undefined) loose.push(one);
      else if (open) open.controls.push(one);
    }
  }
  for (const one of loose) found.find((form) => form.id === one.form)?.controls.push(one);
  return found;
}

// What a browser would send without a click on a checkbox: [[name, value]].
export function fieldsOf(form) {
  return form.controls.filter((one) => one.name && !one.disabled && !['submit', 'button', 'reset', 'image'].includes(one.type) &&
    (!['checkbox', 'radio'].includes(one.type) || one.checked)).map((one) => [one.name, one.value]);
}
export const fieldOf = (form, name) => form.controls.find((one) => one.name === name);

// The reply form of a page.
export const replyForm = (html) => forms(html).find((form) => fieldOf(form, 'comment') !== undefined);

// The text of the elements that describe a control.
export function describedBy(html, one) {
  const ids = (one?.attributes['aria-describedby'] ?? '').split(/\s+/).filter(Boolean);
  return ids.map((id) => byId(html, id)).filter(Boolean).map(({ inner }) => textOf(inner)).join(' ');
}

// The replies of a page (queue or thread): {id, html, text}.
export function replies(html) {
  return elements(html, (tag) => tag.name === 'article' && /^reply-\d+$/.test(tag.attributes.id ?? ''))
    .map(({ tag, inner, outer }) => ({ id: tag.attributes.id.slice(6), html: outer, text: textOf(inner) }));
}

// The attributes of a Set-Cookie header, lower-case names: {name, value, httponly: '', path: '/', …}.
export function cookieOf(header) {
  const [first, ...rest] = header.split(';').map((part) => part.trim());
  const split = (part) => [part.slice(0, part.includes('=') ? part.indexOf('=') : undefined),
    part.includes('=') ? part.slice(part.indexOf('=') + 1) : ''];
  const [name, value] = split(first);
  return { ...Object.fromEntries(rest.map(split).map(([key, v]) => [key.toLowerCase(), v])), name, value };
}

export const QUEUE = '/comments/moderate/';

// A moderator at a browser without JavaScript.
export class Moderator {
  constructor(instance, { address = freshAddress(), origin = BASE, site, mount = '/comments' } = {}) {
    Object.assign(this, { instance, address, origin, site, queue: `${mount}/moderate/`, cookies: {} });
  }
  async ask(options) {
    const cookie = Object.entries(this.cookies).map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { ...(cookie === '' ? {} : { Cookie: cookie }), ...options.headers };
    const answer = await this.instance.moderator({ address: this.address, site: this.site, ...options, headers });
    for (const header of answer.all('Set-Cookie')) {
      const one = cookieOf(header);
      if (one.value === '' || one['max-age'] === '0') delete this.cookies[one.name];
      else this.cookies[one.name] = one.value;
    }
    return answer;
  }
  get(uri = `${this.queue}?state=held`) {
    return this.ask({ uri });
  }
  // `fields` is [[name, value]]; Origin as a browser sends it with a POST.
  submit(uri, fields, headers = {}) {
    return this.ask({ method: 'POST', uri, form: fields, headers: { Origin: this.origin, 'Sec-Fetch-Site': 'same-origin', ...headers } });
  }
  async signIn(name, password) {
    const page = await this.get(`${this.queue}sign-in`);
    const form = forms(page.text).find((one) => fieldOf(one, 'password') !== undefined);
    const fields = [...fieldsOf(form).filter(([field]) => field !== 'name' && field !== 'password'),
      ['name', name], ['password', password]];
    return this.submit(form.action, fields);
  }
  // The form of a queue page that decides about the reply `id`: {form, reply: '<id>:<revision>'}.
  async decisionForm(id, state = 'held') {
    for (let uri = `${this.queue}?state=${state}`, looked = 0; looked < 50; looked++) {
      const page = await this.get(uri);
      const form = forms(page.text).find((one) => one.action.endsWith('/decide') &&
        one.controls.some((c) => c.name === 'reply' && c.value.startsWith(`${id}:`)));
      if (form) return { form, reply: form.controls.find((c) => c.name === 'reply' && c.value.startsWith(`${id}:`)).value };
      const next = decode(page.text).match(/href="([^"]*[?&]before=\d+[^"]*)"/);
      if (!next) break;
      uri = new URL(next[1], `${BASE}${this.queue}`).href.slice(BASE.length);
    }
    throw new Error(`no form decides about reply ${id} in the queue of ${state}`);
  }
  // The hidden fields that go with every decision (the token at least).
  static rest(form) {
    return form.controls.filter((c) => c.type === 'hidden' && c.name !== 'reply' && c.name !== 'state').map((c) => [c.name, c.value]);
  }
  // Decides about replies that all stand in `from`, by their queue's form.
  async decide(ids, to, from = 'held') {
    const all = Array.isArray(ids) ? ids : [ids];
    const found = [];
    for (const id of all) found.push(await this.decisionForm(id, from));
    const fields = [...Moderator.rest(found[0].form), ...found.map(({ reply }) => ['reply', reply]), ['state', to]];
    return this.submit(found[0].form.action, fields);
  }
  approve(ids) {
    return this.decide(ids, 'published', 'held');
  }
}

// A moderator who is signed in.
export async function signedIn(instance, name = 'editor', password = 'a steppe is not a step', options = {}) {
  const moderator = new Moderator(instance, options);
  const answer = await moderator.signIn(name, password);
  if (answer.status !== 303) throw new Error(`sign-in: ${answer.status} ${textOf(answer.text)}`);
  return moderator;
}
