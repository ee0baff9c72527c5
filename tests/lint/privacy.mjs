// docs/privacy.md tells of all that is stored of anybody: a column that is new must be thought of.
import { files } from './tree.mjs';

// What the page says of a column, in its own words.
const TOLD = {
  'reply.name': 'name, website, comment', 'reply.website': 'name, website, comment', 'reply.comment': 'name, website, comment',
  'reply.email_sealed': '`email_sealed`', 'reply.network_sealed': '`network_sealed`', 'reply.author_hash': '`author_hash`',
  'reply.client_hash': '`client_hash`', 'reply.key_hash': '`key_hash`', 'reply.submission_hash': '`submission_hash`',
  'reply.comment_hash': '`comment_hash`', 'reply.content_hash': '`content_hash`', 'reply.reasons': '`reasons`',
  'decision.moderator': "each decision with the account's name", 'decision.network': 'the time, the network', 'decision.why': 'the reason if one was typed',
  'account.name': "the account's name", 'account.password': 'argon2id', 'account.email': 'the address that mail goes to',
  'session.hash': 'a hash of its cookie', 'session.network': 'the network (/24 or /64)', 'session.agent': 'the first 200 bytes',
  'browser.hash': 'a hash of its second cookie', 'failure.who': 'a hash of the network or of the name that was typed', 'mail.site': 'which site',
};
// What is nobody's: pages, states, reasons of failures, macs.
const NOBODYS = ['site.name', 'page.page', 'page.title', 'thread.page', 'thread.title', 'reply.state', 'tally.state', 'decision.action',
  'decision.from_state', 'decision.to_state', 'decision.digests', 'decision.mac', 'slip.action', 'slip.from_state', 'slip.to_state',
  'publication.failure', 'job.kind', 'job.lease_by', 'job.failure', 'failure.kind', 'log_head.mac', 'mail.event', 'mail.state', 'mail.failure'];

const SCHEMA = /^sql\/[^/]+\/schema\.sql$/;
// Numbers and times tell of nobody by themselves.
function columns(tree) {
  return files(tree, SCHEMA).flatMap((name) => [...tree.get(name).matchAll(/^CREATE TABLE (\w+) \(\n([\s\S]*?)^\) STRICT/gm)]
    .flatMap(([, table, body]) => [...body.matchAll(/^ {2}(\w+) +(?:TEXT|BLOB)\b/gm)].map(([, column]) => `${table}.${column}`)));
}

export function stored(tree) {
  const page = tree.get('docs/privacy.md').replace(/\s+/g, ' ');
  const there = columns(tree);
  return [...there.filter((one) => !NOBODYS.includes(one) && !page.includes(TOLD[one] ?? `\0${one}`)).map((one) => `docs/privacy.md does not tell of ${one}`),
    ...[...Object.keys(TOLD), ...NOBODYS].filter((one) => !there.includes(one)).map((one) => `tests/lint/privacy.mjs: there is no ${one}`)];
}
stored.faults = {
  'a new column': (tree) => tree.set('sql/rejoinder/schema.sql', tree.get('sql/rejoinder/schema.sql').replace(/^ {2}website /m, '  phone           TEXT,\n  website ')),
  'one that the page is silent about': (tree) => tree.set('docs/privacy.md', tree.get('docs/privacy.md').replaceAll('`client_hash`', '')),
};
