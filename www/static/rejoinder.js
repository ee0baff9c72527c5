/*
 * Replies without leaving the article. docs/embed.md says how to embed it, and what it stores.
 * Whatever fails here leaves the links and the form as they work without it.
 */
(() => {
'use strict';
const source = document.currentScript.src;
const at = (path) => new URL(`../${path}`, source).href;

// `words` are the data attributes of the form that the door gives: no sentence stands here.
let page, box, slot, thread, form, comment, home, status, counter, remember, words, loading, busy;
let parent = '';
let marks = []; // each takes away what marks one wrong field

// Storage can be switched off or full: then nothing is kept.
function recall(key) {
	try { return JSON.parse(localStorage.getItem(`rejoinder:${key}`)); } catch { return null; }
}
function keep(key, value) {
	try {
		if (value) localStorage.setItem(`rejoinder:${key}`, JSON.stringify(value));
		else localStorage.removeItem(`rejoinder:${key}`);
	} catch { /* as above */ }
}
const fresh = (one) => one && Date.now() - one.at < 30 * 24 * 3600e3; // 30 days
const waiting = () => (recall('waiting') || []).filter(fresh);

function make(tag, attributes, ...children) {
	const element = document.createElement(tag);
	for (const name of Object.keys(attributes)) element.setAttribute(name, attributes[name]);
	element.append(...children);
	return element;
}

const parse = ({ content }) => new DOMParser().parseFromString(content, 'text/html');

async function ask(path, options) {
	const answer = await fetch(at(path), { ...options, signal: AbortSignal.timeout?.(30e3) });
	answer.content = await answer.text();
	return answer;
}

/* --- the form --- */

const field = (name) => form.elements.namedItem(name);
const person = () => ['name', 'email', 'website'].map(field).filter(Boolean);
const button = () => form.querySelector('button:not([type=button])');
const place = () => `${page}#${parent}`; // what is answered
const say = (text) => { status.textContent = text; };

function hide(name, value) {
	if (!field(name)) form.prepend(make('input', { type: 'hidden', name }));
	field(name).value = value;
}

// Words and a key, asked for when they are needed: who only reads does not wake the door.
function load() {
	loading = loading || ask(`form?page=${encodeURIComponent(page)}`).then((got) => {
		if (got.status >= 500) throw got;
		const doc = parse(got);
		const given = doc.querySelector('form.rejoinder-form');
		if (given) {
			words = given.dataset;
			if (form) furnish(given);
		}
		return { doc, given };
	});
	loading.catch(() => { loading = null; });
	return loading;
}

function furnish(given) {
	if (!field('key')?.value) hide('key', given.elements.key.value);
	if (remember) return;
	counter = make('bdi', { dir: 'ltr' });
	comment.after(make('span', { class: 'rejoinder-count' }, `${words.count} `, counter));
	remember = make('input', { type: 'checkbox' });
	remember.checked = recall('person');
	status.before(make('label', { class: 'rejoinder-remember' }, remember, words.remember));
	count();
}

function adopt() { // a form that is in the document
	comment = field('comment');
	form.classList.add('rejoinder');
	form.before(home = document.createComment(''));
	button().closest('form > *').before(status = make('p', { class: 'rejoinder-status', role: 'status' }));
	const known = recall('person') || {};
	for (const input of person()) input.value = input.value || known[input.name] || '';
	recallDraft();
	form.addEventListener('input', () => { keepDraft(); count(); });
	form.addEventListener('change', keepPerson);
	form.addEventListener('focusin', load);
	form.addEventListener('submit', (event) => {
		event.preventDefault();
		if (!busy) send();
	});
	form.addEventListener('keydown', (event) => {
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
	if (remember) keep('person', remember.checked && Object.fromEntries(person().map((input) => [input.name, input.value])));
}

function count() { // as the door does: an accent counts with its letter
	if (!counter) return;
	const { length } = [...comment.value.normalize()];
	const over = length > words.most;
	counter.textContent = `${length} / ${words.most}`;
	counter.classList.toggle('rejoinder-over', over);
	if (over !== (status.textContent === words.long)) say(over ? words.long : '');
}

/* --- answering a reply where it stands; each draft stays with what it answers --- */

function move(to) {
	form.querySelector('.rejoinder-parent')?.remove();
	parent = to;
	hide('parent', to);
	if (!to) return home.after(form);
	const article = document.getElementById(`reply-${to}`);
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
	const link = document.querySelector(`#reply-${parent} .rejoinder-answer a`);
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

/* --- sending --- */

function clear() {
	for (const unmark of marks) unmark();
	marks = [];
	say('');
}

function mark(input, text) {
	const note = make('span', { class: 'rejoinder-error', id: `rejoinder-${input.name}-error` }, text);
	const described = input.getAttribute('aria-describedby') || '';
	const set = (wrong, ids) => {
		input.setAttribute('aria-invalid', wrong);
		input.setAttribute('aria-describedby', ids);
	};
	input.after(note);
	set(true, `${note.id} ${described}`);
	marks.push(() => { note.remove(); set(false, described); });
}

function work(on) { // the button goes, or comes back
	busy = comment.readOnly = on;
	button().setAttribute('aria-disabled', on);
}

async function send() {
	work(true);
	try { await load(); } catch { /* the words may be here from before */ }
	if (!words) {
		HTMLFormElement.prototype.submit.call(form);
		return;
	}
	clear();
	say(words.sending);
	let got = {};
	let told = {};
	try {
		got = await ask('reply', { method: 'POST', headers: { Accept: 'application/json' }, body: new URLSearchParams(new FormData(form)) });
		told = JSON.parse(got.content) || {};
	} catch { /* no answer, or none of the door's */ }
	work(false);
	if (got.ok && told.receipt) sent(told);
	else refused(got, told);
}

// Every word stays, and the key, by which a second try finds what the first one stored.
function refused(got, { errors = {}, message = words.failed }) {
	const said = [];
	for (const name of Object.keys(errors)) {
		const input = field(name);
		if (input?.offsetParent) mark(input, errors[name]);
		else said.push(errors[name]);
	}
	if (marks.length) said.unshift(words.wrong);
	if (!said.length) said.push(message);
	const wait = got.headers?.get('Retry-After');
	if (wait && !message.includes(wait)) said.push(`${words.wait} ${wait}`);
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
	keep('waiting', waiting().filter((one) => one.id !== id).concat(note));
	comment.value = '';
	keepDraft();
	keepPerson();
	answer('');
	renew();
	display(note, field('name').value).focus();
}

/* --- the thread --- */

const folder = () => `threads${page.replace(/[?#].*|\/$/g, '')}/~/`;

// The reader's own reply, for their eyes only; the name is known until the page is left.
function display(note, name = '') {
	const id = `rejoinder-waiting-${note.id}`;
	document.getElementById(id)?.remove();
	if (!thread) home.before(thread = make('section', { class: 'rejoinder' }));
	const host = document.getElementById(`reply-${note.parent}`) || thread;
	let list = host.querySelector(':scope > .rejoinder-replies');
	if (!list) {
		list = make('ol', { class: 'rejoinder-replies' });
		thread.querySelector('.rejoinder-empty')?.remove();
		host.append(list);
	}
	list.append(make('li', { class: 'rejoinder-waiting', id, tabindex: '-1' },
		make('p', { class: 'rejoinder-wait' }, `${words.waiting} `, make('a', { href: note.receipt }, words.receipt)),
		make('bdi', { class: 'rejoinder-name' }, name),
		make('div', { class: 'rejoinder-comment', dir: 'auto' }, note.comment)));
	return list.lastChild;
}

// What was published meanwhile is forgotten: the published files say so.
async function showWaiting() {
	const mine = waiting().filter((note) => note.page === page);
	let last = '';
	if (mine.length && thread?.querySelector('a[rel=next]')) {
		const { pages } = JSON.parse((await ask(`${folder()}thread.json`)).content);
		last = (await ask(`${folder()}thread.${pages}.json`)).content;
	}
	const held = ({ id }) => !document.getElementById(`reply-${id}`) && !last.includes(`"id":"${id}"`);
	keep('waiting', waiting().filter(held));
	const left = mine.filter(held);
	if (left[0]) await show();
	left.forEach((note) => display(note));
}

async function fetchThread() {
	// Which part of a query belongs to the page, only the door knows.
	if (page.includes('?')) {
		try { page = (await load()).given.elements.page.value; } catch { /* then none of it */ }
	}
	const got = await ask(`${folder()}thread.html`);
	thread = got.ok && parse(got).querySelector('section.rejoinder');
	if (!thread) return;
	box.prepend(thread);
	if (location.hash.startsWith('#reply-')) location.replace(location.href); // it is there now
}

/* --- the page --- */

// Sees to form and words; fails where there are none to be had.
async function show() {
	if (form && words) return;
	const { doc, given } = await load();
	if (given && !form) {
		form = document.importNode(given, true);
		form.prepend(make('h2', { class: 'rejoinder-heading' }, doc.querySelector('main h1').textContent));
		slot.replaceChildren(form);
		adopt();
		furnish(given);
	} else if (!form && !document.querySelector('.rejoinder-closed')) slot.append(...doc.querySelectorAll('.rejoinder-closed'));
	if (!words) throw new Error('no form');
}

async function start() {
	box = document.querySelector('[data-rejoinder]');
	thread = document.querySelector('section.rejoinder');
	form = [...document.forms].find((one) => one.action === at('reply'));
	if (!box && !form) return;
	page = box?.dataset.page || (form && field('page')?.value) ||
		(location.pathname.replace(/(\/index\.html)?\/*$/, '') || '/') + location.search;
	document.addEventListener('click', clicked);
	addEventListener('pageshow', (event) => { if (event.persisted && form) work(false); });
	if (form) adopt();
	else {
		slot = make('div', {}, ...[...box.childNodes].filter((node) => !node.contains(thread)));
		box.append(slot);
		box.classList.add('rejoinder');
		if (!document.querySelector('link[href$="/rejoinder.css"]')) document.head.prepend(make('link', { rel: 'stylesheet', href: at('static/rejoinder.css') }));
	}
	if (box && !thread) await fetchThread().catch(() => {});
	showWaiting().catch(() => {});
	// The form is asked for a screen before it is reached.
	new IntersectionObserver((entries, watch) => {
		if (!entries.some((entry) => entry.isIntersecting)) return;
		watch.disconnect();
		show().catch(() => {});
	}, { rootMargin: form ? '0px' : '100%' }).observe(form || slot);
}

if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
else start();
})();
