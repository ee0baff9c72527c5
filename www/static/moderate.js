/*
 * Comfort for the moderators' pages; all works without it.  Its words are in moderate_top.html.  Decisions are
 * the page's forms, sent by fetch; what is shown afterwards comes out of the page that answers.
 */
(() => {
  'use strict';
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
  const kit = $('#comfort');
  if (!kit) return;
  const words = kit.dataset;
  const copy = (selector) => document.importNode($(selector, kit.content), true);
  /* A part of another page, with own ids. */
  let imported = 0;
  function own(part) {
    const mine = document.importNode(part, true), prefix = `from-${++imported}-`;
    for (const one of [mine, ...$$('*', mine)]) {
      for (const name of ['id', 'for', 'aria-labelledby', 'aria-describedby']) {
        const value = one.getAttribute(name);
        if (value) one.setAttribute(name, value.trim().split(/\s+/).map((id) => prefix + id).join(' '));
      }
    }
    return mine;
  }
  const make = (tag, name, text = '') => Object.assign(document.createElement(tag), { className: name, textContent: text });

  const list = $('#replies'), bar = $('#selection'), mount = $('.places a').pathname;
  const here = new URL(location.href);
  for (const name of ['done', 'with', 'wrote', 'about', 'mac']) here.searchParams.delete(name);
  here.hash = '';
  const state = here.searchParams.get('state') || 'held';
  const articles = () => $$('article.reply', $('main')).filter((one) => !one.matches('.decided, [aria-busy]'));
  const idOf = (article) => article.id.replace(/^.*-/, '');
  const heading = (article) => $('h2', article);

  /* --- what is said: one polite region --- */

  const status = make('p', 'unseen');
  status.setAttribute('role', 'status');
  document.body.append(status);
  /* The same sentence twice would not be told twice. */
  const say = (text) => { status.textContent = status.textContent === text ? `${text}\u00a0` : text; };
  const doneOf = (page) => $$('.done p', page).map((one) => one.textContent).join(' ');
  const told = $('.done[role=status]');
  if (told) {
    told.removeAttribute('role');
    say(doneOf(document));
  }

  /* --- times that go on --- */

  const came = Date.now(), ages = words.ago.split('|'), kinds = [1, 2, 5, 11];
  const plural = new Intl.PluralRules(document.documentElement.lang || 'en');
  const anyAge = new RegExp(ages.map((one) => one.replace(/[^\w\s]/g, '\\$&').replace(/\d+/, '\\d+')).join('|'));
  function ago(age) {
    if (age < 60) return ages[0];
    const unit = age < 3600 ? 0 : age < 172800 ? 1 : 2, n = Math.floor(age / [60, 3600, 86400][unit]);
    const kind = kinds.findIndex((one) => plural.select(one) === plural.select(n));
    return ages[1 + 4 * unit + Math.max(kind, 0)].replace(/\d+/, n);
  }
  setInterval(() => {
    /* The door's clock. */
    const now = Number(words.now) + (Date.now() - came) / 1000;
    for (const one of $$('time[datetime]')) {
      const text = one.textContent.replace(anyAge, () => ago(now - Date.parse(one.dateTime) / 1000));
      if (text !== one.textContent) one.textContent = text;
    }
  }, 60000);

  /* --- where one is --- */

  let current = null;
  const focus = (article) => {
    const target = article && (article.matches('.decided') ? $('button', article) : $('.conflict h2', article) || heading(article));
    if (!target) return list ? list.focus() : undefined;
    if (target.tabIndex < 0) target.tabIndex = -1;
    target.focus({ preventScroll: true });
    show(article);
  };
  /* Below a sticky bar, all of it where there is room, and what was decided beside it, with its Undo. */
  function show(article) {
    const edge = (one, side) => (one && one.matches('.decided') ? one : article).getBoundingClientRect()[side];
    const top = edge(article.previousElementSibling, 'top'), bottom = edge(article.nextElementSibling, 'bottom');
    const sticky = bar && getComputedStyle(bar).position === 'sticky';
    const above = top - 12 - (sticky ? bar.offsetHeight : 0), below = bottom + 96 - innerHeight;
    if (above < 0 || below > 0) scrollBy(0, Math.min(above, Math.max(below, 0)));
  }
  const beside = (by) => {
    const all = articles();
    if (!current || !current.isConnected) return all[0];
    if (by > 0) return all.find((one) => current.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING);
    return all.reverse().find((one) => current.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_PRECEDING);
  };
  const move = (by) => { const to = beside(by); if (to) focus(to); };
  document.addEventListener('focusin', ({ target }) => { current = target.closest('article.reply') || current; });

  /* --- asking the door --- */

  class Refused extends Error {}
  const parse = (text) => new DOMParser().parseFromString(text, 'text/html');
  const signInForm = (page) => ($('body.sign-in', page) ? $('main form[method=post]', page) : null);
  const failureOf = (page) => $$('body.sign-in main p:not(.site), body.carry .notice', page).map((p) => p.textContent).join(' ');

  async function load(url, body) {
    let answer, text;
    try {
      answer = await fetch(url, body ? { method: 'POST', body } : {});
      text = await answer.text();
    } catch {
      throw new Refused(words.failed);
    }
    return { answer, page: parse(text) };
  }

  const stateOf = (tab) => new URL(tab.href).searchParams.get('state');
  function counts(of) {
    for (const tab of $$('.tabs a')) {
      const n = of(stateOf(tab));
      if (n !== undefined && $('.count', tab)) $('.count', tab).textContent = n;
    }
  }

  /* Who is signed in may have changed in another tab: the page's forms go with it. */
  function adopt(page) {
    const token = $('.top input[name=token]', page);
    if (!token) return;
    for (const one of $$('input[name=token]')) one.value = token.value;
    $('.top .who').replaceWith(document.importNode($('.top .who', page), true));
    belong();
    counts((its) => { const tab = $$('.tabs a', page).find((one) => stateOf(one) === its); return tab && $('.count', tab).textContent; });
  }

  /* Drafts are their writer's. */
  const forgetAll = () => Object.keys(sessionStorage).forEach((key) => key.startsWith('draft ') && sessionStorage.removeItem(key));
  function belong() {
    const who = $('.top .who bdi').textContent;
    if (sessionStorage.getItem('drafts of') === who) return;
    forgetAll();
    sessionStorage.setItem('drafts of', who);
  }
  belong();
  $('.top .leave').addEventListener('submit', forgetAll);

  let entrance = null;
  /* Shows the sign-in over the page; what was typed stays below it. */
  function signIn(page) {
    entrance = entrance || new Promise((resolve, reject) => {
      const dialog = make('dialog', 'entrance');
      const show = (its) => {
        const close = make('button', 'cancel', words.cancel);
        close.type = 'button';
        close.addEventListener('click', () => dialog.close());
        dialog.replaceChildren(...own($('main', its)).childNodes, close);
        const title = $('h1', dialog);
        title.id = 'entrance-title';
        dialog.setAttribute('aria-labelledby', title.id);
        ($('input:not([type=hidden])', dialog) || close).focus();
      };
      dialog.addEventListener('submit', async (event) => {
        event.preventDefault();
        const body = fields(event.target, event.submitter);
        if (body.has('next')) body.set('next', light());
        try {
          const { page: next } = await load(event.target.action, body);
          if (!$('.top input[name=token]', next)) return show(next);
          adopt(next);
          resolve();
          dialog.close();
        } catch (problem) {
          say(problem.message);
        }
      });
      dialog.addEventListener('close', () => {
        dialog.remove();
        entrance = null;
        reject(new Refused(words.signedout));
      });
      document.body.append(dialog);
      show(page);
      dialog.showModal();
    });
    return entrance;
  }

  async function ask(url, body) {
    const got = await load(url, body);
    if (signInForm(got.page)) {
      await signIn(got.page);
      if (body && body.has('token')) body.set('token', $('input[name=token]').value);
      return ask(url, body);
    }
    adopt(got.page);
    if (got.answer.ok || [409, 422].includes(got.answer.status)) return got;
    if (got.answer.status === 403) adopt((await load(light())).page);
    throw new Refused(failureOf(got.page) || words.failed);
  }

  function fields(form, button) {
    const body = new URLSearchParams(new FormData(form));
    if (button && button.name) body.set(button.name, button.value);
    return body;
  }
  /* A page without replies: counts, and what was done. */
  const light = () => `${mount}?state=${state}&before=1`;
  const fresh = async () => (await ask(here.href)).page;

  /* --- decisions --- */

  const actions = []; /* what can be undone, the last one last */
  let line = Promise.resolve();
  const inTurn = (run) => { line = line.then(run).catch((problem) => say(problem.message)); };

  function problem(article, text) {
    for (const old of $$('.problem', article)) old.remove();
    if (text) article.prepend(make('p', 'problem', text));
  }

  const cover = (article, what) => {
    for (const child of article.children) child.hidden = true;
    article.append(what);
  };

  function settle(article, text, action, more) {
    for (const one of $$(':scope > .outcome, :scope > .conflict', article)) one.remove();
    const outcome = make('p', 'outcome');
    const about = make('span', 'quiet');
    const names = $$('h2 bdi', article).slice(0, 2).map((one) => make('bdi', '', one.textContent));
    about.append(...names.flatMap((one, i) => (i ? [' · ', one] : [one])));
    outcome.append(make('strong', '', text), ' ', about);
    if (more) outcome.append(' ', make('span', 'with', more));
    if (action) {
      const undo = make('button', '', words.undo);
      undo.type = 'button';
      undo.setAttribute('aria-describedby', $('h2 bdi', article).id);
      undo.addEventListener('click', () => takeBack(action, [article]));
      outcome.append(' ', undo);
    }
    article.classList.add('decided');
    cover(article, outcome);
    const box = $('.pick input', article);
    if (box) Object.assign(box, { checked: false, disabled: true });
  }

  /* What came or went along, of a page that answers. */
  const withOf = (page) => { const more = $('.done .with', page); return more && more.textContent; };

  /* The undo of a page that answers: {batch, articles}, or undefined. */
  function undoOf(page, targets) {
    const form = $('.done form', page);
    if (!form) return undefined;
    return { url: form.getAttribute('action'), batch: $('input[name=batch]', form).value, articles: targets };
  }

  function decide(form, button, targets) {
    const body = fields(form, button);
    if (body.has('return')) body.set('return', light());
    for (const article of targets) {
      article.setAttribute('aria-busy', 'true');
      problem(article);
    }
    if (targets.includes(current)) focus(beside(1) || beside(-1));
    inTurn(async () => {
      try {
        /* Of now. */
        body.set('token', $('input[name=token]').value);
        const { page } = await ask(form.action, body);
        decided(page, button.value, targets);
      } catch (failed) {
        for (const article of targets) problem(article, failed.message);
        throw failed;
      } finally {
        for (const article of targets) article.removeAttribute('aria-busy');
        /* What folds up above the chosen reply must not pull it away. */
        if (current && current.contains(document.activeElement)) show(current);
        count();
      }
    });
  }

  function decided(page, to, targets) {
    if (!$('.done, .conflict', page)) throw new Refused($('.notice', page) ? $('.notice', page).textContent : words.failed);
    const action = undoOf(page, targets), conflicts = new Map($$('.conflict', page).map((one) => [idOf(one), one]));
    const done = targets.filter((one) => !conflicts.has(idOf(one)));
    const unseen = ($('.done[data-unseen]', page) || kit).dataset.unseen.split(' ');
    for (const article of done) settle(article, unseen.includes(idOf(article)) ? `${words[to]} ${words.unseen}` : words[to], action, article === done[done.length - 1] && withOf(page));
    for (const article of targets.filter((one) => conflicts.has(idOf(one)))) {
      for (const old of $$(':scope > .conflict', article)) old.remove();
      cover(article, document.importNode(conflicts.get(idOf(article)), true));
    }
    if (action) actions.push(Object.assign(action, { articles: done }));
    const notice = $('.notice > p', page);
    say(`${doneOf(page)} ${notice ? notice.textContent : ''}`.trim());
    if (page.title && conflicts.size === 0) document.title = page.title;
    if (conflicts.size > 0) focus(targets.find((one) => conflicts.has(idOf(one))));
  }

  function takeBack(action, targets = action.articles) {
    inTurn(async () => {
      if (targets.length === 0) return;
      const body = new URLSearchParams({ token: $('input[name=token]').value, return: light(), batch: action.batch });
      for (const article of targets) body.append('reply', `${idOf(article)}:1`);
      const { page } = await ask(action.url, body);
      action.articles = action.articles.filter((one) => !targets.includes(one));
      const conflicts = new Set($$('.conflict', page).map(idOf)), now = await fresh();
      for (const article of targets) {
        const again = now.getElementById(article.id);
        if (again) article.replaceWith(document.importNode(again, true));
        else if (!conflicts.has(idOf(article))) settle(article, words.undone);
      }
      if (withOf(page)) document.getElementById(targets[0].id).append(make('p', 'outcome', withOf(page)));
      const notice = $('.notice > p', page);
      say(notice ? notice.textContent : doneOf(page));
      if (page.title) document.title = page.title;
      focus(document.getElementById(targets[0].id));
      count();
    });
  }

  document.addEventListener('submit', (event) => {
    const form = event.target, button = event.submitter;
    if (event.defaultPrevented || !button || form.method !== 'post') return;
    const article = form.closest('article.reply');
    if (list && article && form.matches('.decide') && button.name === 'state') {
      event.preventDefault();
      decide(form, button, [article]);
    } else if (list && form === bar && button.name === 'state') {
      const targets = articles().filter((one) => $('.pick :checked', one));
      if (targets.length === 0) return;
      event.preventDefault();
      decide(form, button, targets);
    } else if ($('textarea', form)) {
      event.preventDefault();
      send(form, button);
    } else if (reasonOf(form)) {
      sessionStorage.setItem('sent', draftOf(form, form.elements.why));
    }
  });

  /* --- writing: drafts, answers and edits in place --- */

  const typed = (form) => $$('textarea, input[type=text], input[type=url]', form).filter((one) => one.name);
  /* A reason belongs to a reply, wherever it is typed. */
  const reasonOf = (form) => form.matches('.decide') && form.elements.why && form.elements.reply.value.split(':')[0];
  const draftOf = (form, field) => `draft ${reasonOf(form) || form.dataset.at || location.pathname} ${field.name}`;
  const isKept = (form) => $('textarea', form) || reasonOf(form);
  /* With the revision that was seen: words that came meanwhile are not written over unseen. */
  const seen = (form) => $('textarea', form) && form.elements.reply;
  const forget = (form) => [...typed(form), seen(form)].forEach((one) => one && sessionStorage.removeItem(draftOf(form, one)));
  const formOf = (page) => { const text = $('main form[method=post] textarea', page); return text && text.form; };

  document.addEventListener('input', ({ target }) => {
    if (target.form && isKept(target.form) && typed(target.form).includes(target)) {
      try {
        for (const one of [target, seen(target.form)]) if (one) sessionStorage.setItem(draftOf(target.form, one), one.value);
      } catch { /* no room: the field has it */ }
    }
  });
  function restore(form) {
    let any = false;
    for (const field of typed(form)) {
      const draft = sessionStorage.getItem(draftOf(form, field));
      if (draft === null || draft === field.value) continue;
      field.value = draft;
      any = true;
    }
    if (!any) return;
    form.prepend(make('p', 'problem', words.draft));
    const reply = seen(form), was = reply && sessionStorage.getItem(draftOf(form, reply));
    if (was) reply.value = was;
  }

  async function send(form, button) {
    const article = form.closest('article.reply'), at = form.dataset.at;
    for (const old of $$('.problem', form)) old.remove();
    try {
      const { answer, page } = await ask(form.action, fields(form, button));
      const again = formOf(page);
      if (again && !answer.redirected) {
        if (article) return place(article, again, at);
        $('main').replaceWith(document.importNode($('main', page), true));
        const wrong = $('[aria-invalid=true]') || $('main');
        return wrong.focus();
      }
      forget(form);
      if (!article) return location.assign(answer.url);
      const action = undoOf(page, [article]);
      if (action) actions.push(action);
      written(article, doneOf(page) || words.sent, action, await fresh());
    } catch (failed) {
      form.prepend(make('p', 'problem', failed.message));
      say(failed.message);
    }
  }

  function written(article, text, action, page) {
    const again = page.getElementById(article.id);
    if (again) {
      const next = document.importNode(again, true);
      article.replaceWith(next);
      next.append(make('p', 'outcome', text));
      focus(next);
    } else {
      settle(article, text, action);
      move(1);
    }
    say(text);
  }

  function place(article, form, at) {
    close();
    const box = make('div', 'inline'), mine = own(form);
    mine.dataset.at = at;
    const cancel = make('button', 'cancel', words.cancel);
    cancel.type = 'button';
    cancel.addEventListener('click', () => { close(); focus(article); });
    box.addEventListener('keydown', (event) => { if (event.key === 'Escape' && !event.isComposing) cancel.click(); });
    $('button[type=submit]', mine).after(' ', cancel);
    /* Why it is here again, and what the reply is now. */
    box.append(...$$('main > .notice, main > .theirs', form.ownerDocument).map(own), mine);
    article.append(box);
    restore(mine);
    ($('[aria-invalid=true]', mine) || $('textarea', mine)).focus();
  }
  /* One at a time; the words of the other one are kept as a draft. */
  const close = () => $$('.inline').forEach((one) => one.remove());

  document.addEventListener('click', async (event) => {
    const link = event.target.closest('.write a');
    if (!link || !list || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      const { page } = await ask(link.href);
      const form = formOf(page);
      if (form) place(link.closest('article'), form, link.pathname);
      else location.assign(link.href);
    } catch (failed) {
      problem(link.closest('article'), failed.message);
      say(failed.message);
    }
  });

  /* --- the selection --- */

  const boxes = () => $$('.pick input').filter((one) => !one.disabled);
  let all = null, last = null;
  function count() {
    if (!bar) return;
    const chosen = boxes().filter((one) => one.checked).length;
    const told = $('.chosen', bar);
    if (told.textContent !== `${chosen}`) told.textContent = chosen;
    Object.assign(all, { checked: chosen > 0 && chosen === boxes().length, indeterminate: chosen > 0 && chosen < boxes().length });
  }
  if (bar) {
    /* Without scripts the door ticks the boxes. */
    for (const one of $$('button.all', bar)) one.remove();
    const label = copy('.all');
    all = $('input', label);
    bar.prepend(label);
    const number = $('.bar-label', bar);
    number.append(' ', make('span', 'chosen count', '0'));
    number.setAttribute('role', 'status');
    all.addEventListener('change', () => { for (const one of boxes()) one.checked = all.checked; count(); });
    document.addEventListener('click', ({ target, shiftKey }) => {
      if (!target.matches('.pick input')) return;
      const every = boxes(), [from, to] = [every.indexOf(last), every.indexOf(target)].sort((a, b) => a - b);
      if (shiftKey && from >= 0) for (const one of every.slice(from, to + 1)) one.checked = target.checked;
      last = target;
      count();
    });
    count();
  }

  /* --- keys --- */

  const KEPT = 'rejoinder-keys';
  const dialog = copy('.keys'), form = $('form', dialog), inputs = $$('input[maxlength]', form);
  const usual = Object.fromEntries(inputs.map(({ name, value }) => [name, value]));
  let keys = usual, on = true;
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT));
    if (kept) [keys, on] = [{ ...usual, ...kept.keys }, kept.on];
  } catch { /* the usual ones */ }

  const press = (selector, within) => { const one = within && $(selector, within); if (one) one.click(); };
  const states = { approve: 'published', unapprove: 'held', spam: 'spam', trash: 'trash' };
  const deeds = {
    next: () => move(1),
    previous: () => move(-1),
    undo: () => {
      while (actions.length > 0 && actions[actions.length - 1].articles.length === 0) actions.pop();
      const action = actions[actions.length - 1];
      if (action) takeBack(action);
      else press('.done form button', document);
    },
    reply: (article) => press('.write a.answer', article),
    edit: (article) => press('.write a.edit', article),
    select: (article, whole) => press(whole ? '.all input' : '.pick input', whole ? bar : article),
    help: () => help(),
  };
  for (const [name, to] of Object.entries(states)) {
    deeds[name] = (article, whole) => press(`[name=state][value=${to}]`, whole ? bar : article && ($('.conflict', article) || $('.decide', article)));
  }

  document.addEventListener('keydown', (event) => {
    const { target, key, code } = event;
    const pen = key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.isComposing && !event.repeat && target.closest('form.pen');
    if (pen) {
      event.preventDefault();
      pen.requestSubmit($('[type=submit]', pen));
      return;
    }
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (target.closest('dialog, textarea, select, [contenteditable], input:not([type=checkbox])')) return;
    const called = (wanted) => Object.keys(keys).find((name) => keys[name] === wanted);
    /* Where the letter is of another alphabet, the place of the key counts. */
    const name = called(key) || called(key.toLowerCase()) || (key > '~' && called(code.replace('Key', '').toLowerCase()));
    if (!name || (!on && name !== 'help') || (!on && key !== usual.help)) return;
    event.preventDefault();
    const article = current && current.isConnected && !current.matches('.decided, [aria-busy]') ? current : null;
    if (article || !event.repeat) deeds[name](article, event.shiftKey);
  });

  function help() {
    for (const one of inputs) one.value = keys[one.name];
    form.elements.on.checked = on;
    check();
    dialog.showModal();
    const title = $('h2', dialog);
    title.tabIndex = -1;
    title.focus();
  }
  function check() {
    for (const one of inputs) {
      const twice = inputs.some((other) => other !== one && other.value.toLowerCase() === one.value.toLowerCase());
      one.setCustomValidity(twice ? words.twice : '');
    }
  }
  form.addEventListener('input', check);
  form.addEventListener('submit', (event) => {
    if (event.submitter.value !== 'save') return;
    keys = Object.fromEntries(inputs.map((one) => [one.name, one.value.toLowerCase()]));
    on = form.elements.on.checked;
    try { localStorage.setItem(KEPT, JSON.stringify({ keys, on })); } catch { /* until the page is left */ }
  });
  $('[value=usual]', form).addEventListener('click', () => {
    for (const one of inputs) one.value = usual[one.name];
    form.elements.on.checked = true;
    check();
  });
  document.body.append(dialog);
  const opener = copy('.keys-open');
  opener.addEventListener('click', help);
  $('.top .leave').before(opener);

  /* --- what has come --- */

  const EVERY = 60000, AT_LEAST = 30000, IDLE = 3600000;
  let newest = Math.max(0, ...articles().map((one) => Number(idOf(one))));
  let active = Date.now(), asked = Date.now(), button = null;
  const watches = list && state === 'held' && [...here.searchParams.keys()].every((name) => name === 'state');

  async function look() {
    if (document.hidden || Date.now() - active > IDLE || Date.now() - asked < AT_LEAST) return;
    asked = Date.now();
    try {
      const answer = await fetch(`${mount}news?after=${newest}`, { redirect: 'manual' });
      if (!answer.ok) return;
      const news = await answer.json();
      counts((its) => news.counts[its]);
      if (news.n === 0) return;
      if (!button) {
        button = make('button', 'news');
        button.type = 'button';
        button.addEventListener('click', showNews);
        document.body.append(button);
      }
      if (button.textContent === news.sentence) return;
      button.textContent = news.sentence;
      say(news.sentence);
    } catch { /* next time */ }
  }
  async function showNews() {
    if (!bar) return location.assign(here.href);
    try {
      const page = await fresh(), before = $('article.reply', list);
      const come = $$('#replies > article.reply', page).filter((one) => Number(idOf(one)) > newest).map((one) => document.importNode(one, true));
      before.before(...come);
      newest = Math.max(newest, ...come.map((one) => Number(idOf(one))));
      button.remove();
      button = null;
      focus(come[0]);
      count();
    } catch (failed) {
      say(failed.message);
    }
  }
  if (watches) {
    for (const name of ['keydown', 'pointerdown', 'scroll', 'focusin']) addEventListener(name, () => { active = Date.now(); }, { passive: true });
    document.addEventListener('visibilitychange', look);
    setInterval(look, EVERY);
  }

  /* A reason that was sent is a draft until the door says that it was taken. */
  const sent = sessionStorage.getItem('sent');
  if (sent && $('.done')) sessionStorage.removeItem(sent);
  sessionStorage.removeItem('sent');
  for (const form of $$('main form[method=post]')) if (isKept(form) && !$('[aria-invalid=true]', form)) restore(form);
})();
