// Every word, query and template is used by somebody.
import { code, files } from './tree.mjs';

const product = (tree) => files(tree, /^(src|cgi-bin)\/[^/]*\.[ch]$/).map((name) => code(tree.get(name))).join('\n');
const templates = (tree) => files(tree, /^www\/page\/[^/]+$/);
const pages = (tree) => templates(tree).map((name) => tree.get(name).replace(/\{\{![\s\S]*?\}\}/g, '')).join('\n');
const has = (text, name) => new RegExp(`\\b${name}\\b`).test(text);

// Words that words.c itself asks for.
const OWN = new Set(['plural']);
export function words(tree) {
  const c = product(tree);
  const html = pages(tree);
  const keys = [...tree.get('www/words/en.words').matchAll(/^([a-z][\w.]*)(?:\[\w+\])?\s*=/gm)].map((m) => m[1]);
  return [...new Set(keys)].filter((key) => !OWN.has(key) && !html.includes(`{{"${key}"`)
    && !has(c, `WORD_${key.toUpperCase().replaceAll('.', '_')}`)).map((key) => `www/words/en.words: nobody says ${key}`);
}
words.faults = { 'a word that nobody says': (tree) => tree.set('www/words/en.words', `${tree.get('www/words/en.words')}stray.word = Hello\n`) };

export function queries(tree) {
  const c = product(tree);
  return files(tree, /^sql\/[^/]+\/[^/]+\.sql$/).filter((name) => !/\/(schema|migrate-\d+)\.sql$/.test(name))
    .flatMap((name) => [...tree.get(name).matchAll(/^-- ([a-z]\w*): /gm)].filter((m) => !/^(in|out|scan)$/.test(m[1]))
      .filter((m) => !has(c, m[1])).map((m) => `${name}: nobody asks ${m[1]}`));
}
queries.faults = { 'a query that nobody asks': (tree) => tree.set('sql/rejoinder/reply.sql', `${tree.get('sql/rejoinder/reply.sql')}\n-- reply_stray: nothing.\nSELECT 1;\n`) };

export function pagesUsed(tree) {
  const c = product(tree);
  const html = pages(tree);
  return templates(tree).filter((name) => {
    const [, base, kind] = /([^/]+)\.(\w+)$/.exec(name);
    return !has(c, `page_${base}${kind === 'html' ? '' : `_${kind}`}`) && !(kind === 'html' && new RegExp(`\\{\\{>${base}\\b`).test(html));
  }).map((name) => `${name}: nobody shows it`);
}
pagesUsed.faults = { 'a template that nobody shows': (tree) => tree.set('www/page/stray.html', '{{! Nothing. }}\n') };
