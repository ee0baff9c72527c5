// Replies without leaving the article: docs/embed.md. What fails leaves links and form.
(() => {
'use strict';
const source = document.currentScript.src;
const from = (path) => new URL(path, source).href;
const at = (path) => from(`../${path}`);
const find = (what) => document.querySelector(what);
const closed = () => find('.rejoinder-closed');

// `words`: data attributes of the door's form.
let page, box, slot, thread, form, comment, home, status, counter, remember, words, loading, busy;
let parent = '', marks = [];

// Storage can be off or full.
function recall(key) {
	try { return JSON.parse(localStorage.getItem(`rejoinder:${key}`)); } catch {}
}
function keep(key, value) {
	try {
		if (value) localStorage.setItem(`rejoinder:${key}`, JSON.stringify(value));
		else localStorage.removeItem(`rejoinder:${key}`);
	} catch {}
}
const fresh = (one) => one && Date.now() - one.at < 30 * 24 * 3600e3;
const waiting = () => (recall('waiting') || []).filter(fresh);

function dress(element, attributes) {
	for (const name in attributes) element.setAttribute(name, attributes[name]);
}
function make(tag, attributes, ...children) {
	const element = document.createElement(tag);
	dress(element, attributes);
	element.append(...children);
	return element;
}

function parse({ content }) {
	const doc = new DOMParser().parseFromString(content, 'text/html');
	// On another origin, paths are the door's.
	if (!at('').startsWith(`${origin}/`)) for (const name of ['href', 'action'])
		for (const one of doc.querySelectorAll(`[${name}^="/"]`)) one[name] = from(one.getAttribute(name));
	return doc;
}

async function ask(path, options) {
	const answer = await fetch(at(path), { ...options, signal: AbortSignal.timeout?.(30e3) });
	answer.content = await answer.text();
	return answer;
}

/* the form */

const field = (name) => form.elements[name];
const person = () => ['name', 'email', 'website'].map(field).filter(Boolean);
const button = () => form.querySelector('button:not([type=button])');
const place = () => `${page}#${parent}`;
const say = (text) => { status.textContent = text; };

function hide(name, value) {
	if (!field(name)) form.prepend(make('input', { type: 'hidden', name }));
	field(name).value = value;
}

// When needed: who only reads wakes no door.
function load() {
	loading = loading || ask(`form?page=${encodeURIComponent(page)}`).then((got) => {
		if (got.status >= 500) throw got;
		const doc = parse(got);
		const given = doc.querySelector('form.rejoinder-form');
		const why = doc.querySelector('.rejoinder-closed');
		words = (given || why)?.dataset || words;
		if (given && form) furnish(given);
		else if (why && !busy) shut(why);
		return { doc, given };
	});
	loading.catch(() => { loading = null; });
	return loading;
}

function shut(why) { // why, and what was typed
	const kept = comment?.value ? [make('p', { role: 'alert' }, words.kept), comment.closest('form > *')] : [];
	const typing = form?.matches(':focus-within');
	(form || slot).replaceWith(make('div', { class: 'rejoinder' }, closed() ? '' : why, ...kept));
	if (comment) comment.readOnly = true;
	if (typing) comment.focus();
}

function furnish(given) {
	if (!field('key')?.value) hide('key', given.elements.key.value);
	if (remember) return;
	counter = make('bdi', { dir: 'ltr' });
	comment.after(make('span', { class: 'rejoinder-count' }, `${words.count} `, counter));
	remember = make('input', { type: 'checkbox', name: 'remember' });
	remember.checked = recall('person');
	status.before(make('label', { class: 'rejoinder-remember' }, remember, words.remember));
	count();
}

function adopt() {
	comment = field('comment');
	form.classList.add('rejoinder');
	form.before(home = document.createComment(''));
	button().closest('form > *').before(status = make('p', { class: 'rejoinder-status', role: 'status' }));
	const known = recall('person');
	for (const input of person()) input.value = input.value || known?.[input.name] || '';
	recallDraft();
	const on = (event, act) => form.addEventListener(event, act);
	on('input', () => { keepDraft(); count(); });
	on('change', keepPerson);
	on('focusin', load);
	on('submit', (event) => {
		event.preventDefault();
		if (!busy) send();
	});
	on('keydown', (event) => {
		if (event.key === 'Escape' && parent && !event.isComposing) cancel();
	});
}

function recallDraft() {
	const draft = recall('drafts')?.[place()];
	if (!comment.value && fresh(draft)) comment.value = draft.comment;
}

function keepDraft() {
	const drafts = recall('drafts') || {};
	drafts[place()] = comment.value && { comment: comment.value, at: Date.now() };
	for (const one in drafts) if (!fresh(drafts[one])) delete drafts[one];
	keep('drafts', drafts);
}

function keepPerson() {
	const site = field('website');
	if (site) site.value = site.value.replace(/^(?=[^:/@]+\.[^@]+(\/|$))/, 'https://');
	if (remember) keep('person', remember.checked && Object.fromEntries(person().map((input) => [input.name, input.value])));
}

function count() { // as the door does
	if (!counter) return;
	const { length } = [...comment.value.normalize()];
	const over = length > words.most;
	counter.textContent = `${length} / ${words.most}`;
	counter.classList.toggle('rejoinder-over', over);
	if (over !== (status.textContent === words.long)) say(over ? words.long : '');
}

/* answering in place */

function move(to) {
	form.querySelector('.rejoinder-parent')?.remove();
	parent = to;
	hide('parent', to);
	if (!to) return home.after(form);
	const article = find(`#reply-${to}`);
	const stop = make('button', { type: 'button', class: 'rejoinder-cancel' }, words.cancel);
	stop.addEventListener('click', cancel);
	comment.closest('form > *').before(make('p', { class: 'rejoinder-parent' }, `${words.replying} `,
		make('bdi', {}, article.querySelector('.rejoinder-name').textContent), stop));
	article.querySelector('.rejoinder-answer').after(form);
}

function answer(to) {
	move(to);
	comment.value = '';
	recallDraft();
	clear();
	count();
}

function cancel() {
	const link = find(`#reply-${parent} .rejoinder-answer a`);
	answer('');
	link.focus();
}

async function clicked(event) {
	const link = event.target.closest('.rejoinder-answer a');
	if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
	event.preventDefault();
	try {
		await show();
		answer(link.closest('article').id.slice(6));
		comment.focus();
	} catch {
		location.href = link.href;
	}
}

/* sending */

function clear() {
	for (const unmark of marks) unmark();
	marks = [];
	say('');
}

function mark(input, text) {
	const note = make('span', { class: 'rejoinder-error', id: `rejoinder-${input.name}-error` }, text);
	const described = input.getAttribute('aria-describedby') || '';
	const set = (wrong, ids) => dress(input, { 'aria-invalid': wrong, 'aria-describedby': ids });
	input.after(note);
	set(true, `${note.id} ${described}`);
	marks.push(() => { note.remove(); set(false, described); });
}

function work(on) {
	busy = comment.readOnly = on;
	button()?.setAttribute('aria-disabled', on);
}

async function send() {
	work(true);
	try { await load(); } catch { /* words may be here */ }
	if (!words?.most) return HTMLFormElement.prototype.submit.call(form);
	clear();
	say(words.sending);
	let got = {}, told = {};
	try {
		got = await ask('reply', { method: 'POST', headers: { Accept: 'application/json' }, body: new URLSearchParams(new FormData(form)) });
		told = JSON.parse(got.content) || {};
	} catch { /* no answer of the door's */ }
	work(false);
	if (got.ok && told.receipt) sent(told);
	else refused(got, told);
}

// All stays, and the key, by which a second try finds the first.
function refused(got, { errors = {}, message = words.failed }) {
	const said = [];
	for (const name in errors) {
		const input = field(name);
		if (input?.offsetParent) mark(input, errors[name]);
		else said.push(errors[name]);
	}
	if (marks.length) said.unshift(words.wrong);
	if (!said.length) said.push(message);
	const wait = got.headers?.get('Retry-After');
	if (wait && !/\d/.test(message)) said.push(`${words.wait} ${wait}`);
	if (errors.parent) move('');
	if (errors.key || got.status === 409) renew();
	say(said.join(' '));
	form.querySelector('[aria-invalid=true]')?.focus();
}

function renew() {
	hide('key', '');
	loading = null;
	load();
}

function sent({ id, receipt }) {
	const note = { id, receipt, page, parent, comment: comment.value, at: Date.now() };
	keep('waiting', [...waiting().filter((one) => one.id !== id), note]);
	comment.value = '';
	keepDraft();
	keepPerson();
	answer('');
	renew();
	display(note, field('name').value).focus();
}

/* the thread */

const folder = () => `threads${page.replace(/[?#].*|\/$/g, '')}/~/`;

// For its author alone.
function display(note, name = '') {
	const id = `rejoinder-waiting-${note.id}`;
	find(`#${id}`)?.remove();
	if (!thread) home.before(thread = make('section', { class: 'rejoinder' }));
	const host = find(`#reply-${note.parent}`) || thread;
	let list = host.querySelector(':scope > .rejoinder-replies');
	if (!list) {
		list = make('ol', { class: 'rejoinder-replies' });
		thread.querySelector('.rejoinder-empty')?.remove();
		host.append(list);
	}
	list.append(make('li', { class: 'rejoinder-waiting', id, tabindex: '-1' },
		make('p', { class: 'rejoinder-wait' }, `${words.waiting} `, make('a', { href: from(note.receipt) }, words.receipt), ` ${words.own}`),
		make('bdi', { class: 'rejoinder-name' }, name),
		make('div', { class: 'rejoinder-comment', dir: 'auto' }, note.comment)));
	return list.lastChild;
}

// What is published is forgotten.
async function showWaiting() {
	const mine = waiting().filter((note) => note.page === page);
	let last = '';
	if (mine.length && thread?.querySelector('a[rel=next]')) {
		const { pages } = JSON.parse((await ask(`${folder()}thread.json`)).content);
		last = (await ask(`${folder()}thread.${pages}.json`)).content;
	}
	const held = ({ id }) => !find(`#reply-${id}`) && !last.includes(`"id":"${id}"`);
	keep('waiting', waiting().filter(held));
	const left = mine.filter(held);
	if (left[0]) await show().catch(() => {});
	left.forEach((note) => display(note));
}

async function fetchThread() {
	// The door knows which part of a query is the page's.
	if (page.includes('?')) {
		try { page = (await load()).given.elements.page.value; } catch { /* none of it */ }
	}
	const got = await ask(`${folder()}thread.html`);
	thread = got.ok && parse(got).querySelector('section.rejoinder');
	if (!thread) return;
	box.prepend(thread);
	if (location.hash.startsWith('#reply-')) location.replace(location.href);
}

/* the page */

// Sees to form and words, or fails.
async function show() {
	if (form && words?.most) return;
	const { doc, given } = await load();
	if (given && !form) {
		form = document.importNode(given, true);
		form.prepend(make('h2', { class: 'rejoinder-heading' }, doc.querySelector('main h1').textContent));
		slot.replaceChildren(form);
		adopt();
		furnish(given);
	}
	if (!given) throw Error('no form');
}

async function start() {
	box = find('[data-rejoinder]');
	thread = find('section.rejoinder');
	form = [...document.forms].find((one) => one.action === at('reply'));
	if (!box && !form) return;
	page = box?.dataset.page || (form && field('page')?.value) ||
		(location.pathname.replace(/(\/index\.html)?\/*$/, '') || '/') + location.search;
	addEventListener('click', clicked);
	addEventListener('pageshow', (event) => { if (event.persisted && form) work(false); });
	if (form) adopt();
	else {
		slot = make('div', {}, ...[...box.childNodes].filter((node) => !node.contains(thread)));
		box.append(slot);
		box.classList.add('rejoinder');
		if (!find('[href$="/rejoinder.css"]')) document.head.prepend(make('link', { rel: 'stylesheet', href: at('static/rejoinder.css') }));
	}
	if (box && !thread) await fetchThread().catch(() => {});
	showWaiting().catch(() => {});
	if (closed()) return void (comment?.value ? load() : (form || slot).remove());
	// A screen ahead.
	new IntersectionObserver((entries, watch) => {
		if (!entries.pop().isIntersecting) return;
		watch.disconnect();
		show().catch(() => {});
	}, { rootMargin: form ? '0px' : '100%' }).observe(form || slot);
}

if (document.readyState === 'loading') addEventListener('DOMContentLoaded', start);
else start();
})();
