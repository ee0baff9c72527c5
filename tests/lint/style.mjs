// What must not stand in C, and how long a function may be: CONTRIBUTING.md.
import { PRODUCT, code, files, functions, lineOf, literals } from './tree.mjs';
import { PARTS } from './layers.mjs';

const BANNED = /\b(strcpy|strcat|strncpy|strncat|sprintf|vsprintf|gets|strtok|strtok_r|system|popen|alloca|tmpnam|tempnam|mktemp|atoi|atol|atoll|atof|scanf|sscanf|fscanf|vsscanf|asctime|ctime|gmtime|localtime|setjmp|longjmp|rand|srand|chmod|chown)\s*\(/g; // the last two follow a link that was put there meanwhile: fchmod, fchown

// Who may call one of them all the same, and why.
const MAY_CALL = new Map([
  ['src/json.c setjmp', 'jansson must not see an allocation fail: it would write where it may not'],
  ['src/json.c longjmp', 'the same'],
]);

export function banned(tree) {
  return files(tree, /^(src|src\/gen|cgi-bin)\/[^/]*\.[ch]$/).flatMap((name) => {
    const bare = code(tree.get(name));
    return [...bare.matchAll(BANNED)].filter((m) => !MAY_CALL.has(`${name} ${m[1]}`)).map((m) => `${name}:${lineOf(bare, m.index)}: ${m[1]}()`);
  });
}
banned.faults = {
  'a banned function': (tree) => tree.set('src/str.c', `${tree.get('src/str.c')}\nvoid f(char *a) { strcpy (a, ""); }\n`),
  'one that only another file may call': (tree) => tree.set('src/xml.c', `${tree.get('src/xml.c')}\nint f(jmp_buf a) { return setjmp(a); }\n`),
  'one that follows links': (tree) => tree.set('src/file.c', `${tree.get('src/file.c')}\nint f(const char *a) { return chmod(a, 0700); }\n`),
  'one in a program': (tree) => tree.set('cgi-bin/reader.c', `${tree.get('cgi-bin/reader.c')}\nint f(void) { return system("x"); }\n`),
};

// Who may, and why.
const MAY_SQL = new Map([
  ['src/db.c', 'is the gear of SQLite: pragmas and transactions are the same for every schema'],
  ['src/db_conn.c', 'the same'],
  ['src/db_file.c', 'is the gear of SQLite: migrations and copies are the same for every schema'],
]);
const MAY_MARKUP = new Map([
  ['src/out.c', 'has the character references that escaping writes'],
  ['src/markdown.c', 'is the one that makes HTML, from an allow-list'],
  ['src/frame.c', 'looks for where our own pages begin and end'],
  ['src/title.c', 'looks for <title> in the articles of the site'],
]);
const SQL = /^\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|PRAGMA|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|ATTACH|DETACH|VACUUM|REINDEX|ANALYZE|EXPLAIN|WITH)\b/;
const MARKUP = /<\/?[a-z][a-z0-9]*(\s[^>]*)?\/?>|<!|<\/|&(amp|lt|gt|quot|apos|#x?[0-9a-f]+);/i;

function literalsLike(tree, pattern, may, what) {
  return files(tree, PRODUCT).filter((name) => !may.has(name)).flatMap((name) => literals(tree.get(name))
    .filter(({ text }) => pattern.test(text)).map(({ at, text }) => `${name}:${at}: ${what}: "${text.slice(0, 60)}"`));
}
const plant = (line) => (tree) => tree.set('src/reply.c', `${tree.get('src/reply.c')}\n${line}\n`);
export const sql = (tree) => literalsLike(tree, SQL, MAY_SQL, 'SQL belongs into sql/');
sql.faults = { 'a query in C': plant('static const char q[] = "SELECT 1";') };
export const markup = (tree) => literalsLike(tree, MARKUP, MAY_MARKUP, 'markup belongs into www/page/');
markup.faults = {
  'an element in C': plant('static const char q[] = "<p class=\\"x\\">";'),
  'an end tag in C': plant('static const char q[] = "</p";'),
  'a character reference in C': plant('static const char q[] = "a&amp;b";'),
};

export const LONGEST = 60;
export function lengths(tree) {
  return files(tree, /^(src|src\/gen|cgi-bin)\/[^/]*\.c$/)
    .flatMap((name) => functions(tree.get(name)).map((one) => ({ ...one, file: name }))).sort((a, b) => a.lines - b.lines);
}
export function long(tree) {
  return lengths(tree).filter((one) => one.lines > LONGEST).map((one) => `${one.file}:${one.at}: ${one.name} has ${one.lines} lines, more than ${LONGEST}`);
}
long.faults = { 'a long function': plant(`static void\nlong_one(int *a)\n{\n${'\t(*a)++;\n'.repeat(LONGEST + 1)}}\n`) };
long.note = (tree) => {
  const all = lengths(tree).map((one) => one.lines);
  const at = (share) => all[Math.min(all.length - 1, Math.floor(all.length * share))];
  return `${all.length} functions; half have at most ${at(0.5)} lines (aim 12), nine of ten at most ${at(0.9)} (aim 35), the longest ${all.at(-1)}`;
};

// foo.c begins with foo.h and exports only foo_*; foo.h begins with what it is.
export function modules(tree) {
  const wrong = [];
  for (const name of files(tree, /^src\/[^/]*\.[ch]$/)) {
    const [, module, kind] = /([^/]+)\.([ch])$/.exec(name);
    const text = tree.get(name);
    if (kind === 'h') {
      if (!new RegExp(`^/\\*(\n \\*)? ${module}\\.h - `).test(text)) wrong.push(`${name}: begins with a comment «${module}.h - what it is»`);
      continue;
    }
    if (tree.has(`src/${module}.h`) && /^\s*#\s*include\s+(\S+)/m.exec(code(text, { strings: true }))?.[1] !== `"${module}.h"`)
      wrong.push(`${name}: includes its own header first`);
    // A file without a header, or with one that its room keeps to itself, belongs to the module before its
    // last underscore: operator_pages.c to operator.
    const owner = tree.has(`src/${module}.h`) && !PARTS.has(module) ? module : module.replace(/_[^_]*$/, '');
    for (const one of functions(text)) {
      if (!one.isStatic && !one.name.startsWith(`${owner}_`)) wrong.push(`${name}:${one.at}: exports ${one.name}, which is no ${owner}_*`);
    }
  }
  return wrong;
}
modules.faults = {
  'an export of another name': plant('int\nstray(void)\n{\n\treturn 0;\n}'),
  'another header first': (tree) => tree.set('src/spam.c', `#include "text.h"\n${tree.get('src/spam.c')}`),
  'a header that does not say what it is': (tree) => tree.set('src/spam.h', '#ifndef SPAM_H\n#endif\n'),
};

// Where secrets are compared: only secret_same, which takes the same time whatever it is given.
const SECRETIVE = /^src\/(secret|receipt|session|moderator|reader|door|journal)(_\w+)?\.c$/;
const COMPARED = /\b(memcmp|strcmp|strncmp|bcmp)\s*\(|\bstr_eq\w*\s*\([^;]*\b\w*(token|secret|password|mac|hash|digest|session_id)\w*\b/g;
export function comparisons(tree) {
  return files(tree, SECRETIVE).flatMap((name) => {
    const bare = code(tree.get(name));
    return [...bare.matchAll(COMPARED)].map((m) => `${name}:${lineOf(bare, m.index)}: ${m[0].split('(')[0].trim()} where secrets are compared: secret_same`);
  });
}
comparisons.faults = {
  'memcmp on a token': (tree) => tree.set('src/session.c', `${tree.get('src/session.c')}\nint f(void *a, void *b) { return memcmp(a, b, 32); }\n`),
  'strcmp in a part of a module': (tree) => tree.set('src/session_enter.c', `${tree.get('src/session_enter.c')}\nint f(char *a, char *b) { return strcmp(a, b); }\n`),
  'str_eq on a token': (tree) => tree.set('src/moderator.c', `${tree.get('src/moderator.c')}\nbool f(struct str a) { return str_eq(a, session->token); }\n`),
};

// The clock of the wall can be set: what waits until a moment of it waits for as long as it was set back.
const TELLS_THE_TIME = new Map([
  ['src/log.c', 'a line says when'],
  ['src/file.c', 'a file says when'],
]);
const SETTABLE = /\bCLOCK_REALTIME\b|\b(pthread_timedjoin_np|pthread_mutex_timedlock|sem_timedwait)\s*\(|\bpthread_cond_init\s*\([^;]*\bNULL\s*\)/g;
export function waits(tree) {
  return files(tree, /^(src|cgi-bin)\/[^/]*\.c$/).filter((name) => !TELLS_THE_TIME.has(name)).flatMap((name) => {
    const bare = code(tree.get(name));
    return [...bare.matchAll(SETTABLE)].map((m) => `${name}:${lineOf(bare, m.index)}: ${m[0]} waits by a clock that can be set: CLOCK_MONOTONIC`);
  });
}
waits.faults = {
  'a moment of the clock that can be set': plant('static void f(struct timespec *a)\n{\n\tclock_gettime(CLOCK_REALTIME, a);\n}'),
  'a condition that goes by it': (tree) => tree.set('src/db.c', tree.get('src/db.c').replace('&db->given[0], &db->monotonic', '&db->given[0], NULL')),
  'joining that goes by it': (tree) => tree.set('src/fcgi.c', tree.get('src/fcgi.c').replace('pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC,', 'pthread_timedjoin_np(thread, NULL,')),
};
