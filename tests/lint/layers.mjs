// Each floor knows only those below it: docs/architecture.md, «The floors».
import { code, files, lineOf } from './tree.mjs';

// Every room of src/ stands here, with its further files (operator_backup.c is of `operator`); a new
// module that is of none is refused.
const FLOORS = {
  base: ['arena', 'fd', 'html', 'log', 'out', 'status', 'str', 'version', 'words', 'words_file', 'zone'],
  gear: ['box', 'config', 'db', 'fcgi', 'file', 'host', 'json', 'keep', 'mail', 'markdown', 'pace', 'secret', 'text', 'xml'],
  rules: ['address', 'closing', 'csv', 'erase', 'form', 'frame', 'import_pages', 'journal', 'letter', 'multipart', 'notify', 'overview', 'page', 'password', 'pen', 'publish', 'receipt', 'reply', 'retention', 'search', 'session', 'spam', 'title', 'verdict', 'when', 'work'],
  doors: ['door', 'moderator', 'operator', 'reader'],
};
// Headers that a room keeps to itself: only its own files, room.c and room_part.c, include them.
export const PARTS = new Map([['db_own', 'db'], ['fcgi_answer', 'fcgi'], ['fcgi_collect', 'fcgi'], ['fcgi_gather', 'fcgi'], ['journal_own', 'journal'], ['operator_findings', 'operator'], ['publish_sheet', 'publish'], ['moderator_queue', 'moderator'], ['moderator_visit', 'moderator'],
  ['reader_visit', 'reader'], ['reply_own', 'reply'], ['session_parts', 'session'], ['session_throttle', 'session']]);
const FLOOR = new Map(Object.entries(FLOORS).flatMap(([floor, names]) => names.map((name) => [name, floor])));
for (const [part, owner] of PARTS) FLOOR.set(part, FLOOR.get(owner));
const HEIGHT = { base: 0, gear: 1, rules: 2, doors: 3, main: 4 };
// The machinery that the doors share; other doors are for their main() alone.
const SHARED_DOOR = 'door';

// What comes with libc and Linux; any other <header> is a library's.
const LIBC = new Set(`arpa/inet assert ctype dirent errno fcntl ftw getopt grp inttypes libgen limits linux/capability linux/close_range linux/landlock linux/openat2 locale math
  netinet/in poll pthread pwd sched signal stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib string strings sys/file sys/ioctl sys/epoll sys/mman sys/prctl sys/random
  sys/resource sys/signalfd sys/socket sys/stat sys/statvfs sys/syscall sys/time sys/types sys/uio sys/un sys/wait syslog termios time
  ucontext unistd`.split(/\s+/).map((name) => `${name}.h`));

// A rule is given the time, random bytes and its configuration; it does not fetch them.
const FETCHED = /\b(time|clock_gettime|gettimeofday|clock|getenv|secure_getenv|getrandom|rand|random|rand_r|lrand48)\s*\(/g;

const includes = (text) => [...text.matchAll(/^[ \t]*#[ \t]*include[ \t]+(?:"([^"]+)"|<([^>]+)>)/gm)]
  .map((m) => ({ own: m[1], system: m[2], at: lineOf(text, m.index) }));
const moduleOf = (name) => /([^/]+)\.[ch]$/.exec(name)[1];

function floorOf(name) {
  if (name.startsWith('cgi-bin/')) return 'main';
  if (name.startsWith('src/gen/')) return 'gen';
  const module = moduleOf(name);
  return FLOOR.get(module) ?? FLOOR.get(module.replace(/_[^_]*$/, ''));
}

// Why a file of `floor` may not include the project's header `header`; undefined if it may.
function ownRefused(floor, module, header) {
  const at = header.lastIndexOf('/');
  const target = moduleOf(header);
  if (at >= 0) { // generated
    if (floor === 'gear' || floor === 'base' || floor === 'gen') return `${floor} includes a generated header`;
    return undefined;
  }
  if (header === 'words_list.h') return module === 'words' ? undefined : 'only words includes words_list.h';
  // A room of several files: operator_pages.c is of operator.h.
  if (target === module || module.startsWith(`${target}_`)) return undefined;
  if (floor === 'gen') return FLOOR.get(target) === 'base' || /^(sqlgen|pagegen)/.test(target) ? undefined : 'a generator knows only the base';
  const owner = PARTS.get(target);
  if (owner) return module === owner || module.startsWith(`${owner}_`) ? undefined : `only ${owner} includes ${header}`;
  const its = FLOOR.get(target);
  if (!its) return `${header} is on no floor`;
  if (HEIGHT[its] > HEIGHT[floor]) return `${floor} includes ${its}`;
  if (its === 'gear' && floor === 'gear') return 'gear includes gear';
  if (its === 'doors' && floor === 'doors' && target !== SHARED_DOOR) return 'a door includes a door';
  return undefined;
}

export function layers(tree) {
  const wrong = [];
  const homes = new Map(); // library header: the files of src/ that include it
  for (const name of files(tree, /^(src|src\/gen|cgi-bin)\/[^/]*\.[ch]$/)) {
    const floor = floorOf(name);
    const text = tree.get(name);
    const module = moduleOf(name);
    if (!floor) {
      wrong.push(`${name}: is on no floor; put it into FLOORS of tests/lint/layers.mjs and say in its header what it is`);
      continue;
    }
    for (const { own, system, at } of includes(text)) {
      const refused = own && ownRefused(floor, module, own);
      if (refused) wrong.push(`${name}:${at}: "${own}": ${refused}`);
      if (!system || LIBC.has(system) || floor === 'gen') continue;
      if (floor !== 'gear') wrong.push(`${name}:${at}: <${system}>: only gear includes a library`);
      if (name.endsWith('.h') && !PARTS.has(module)) wrong.push(`${name}:${at}: <${system}>: a library's header in a header spreads`);
      homes.set(system, [...(homes.get(system) ?? []), name]);
    }
    if (floor !== 'rules') continue;
    const bare = code(text);
    for (const m of bare.matchAll(FETCHED)) wrong.push(`${name}:${lineOf(bare, m.index)}: ${m[1]}() in a rule: the door passes it in`);
  }
  for (const [header, names] of homes) if (names.length > 1) wrong.push(`<${header}> is included by ${names.join(' and ')}: one gear for one library`);
  return wrong;
}

// What root may do is given up in one place, which every command must come through.
export function openings(tree) {
  return files(tree, /^src\/operator(_\w+)?\.c$/).filter((name) => name !== 'src/operator_drop.c').flatMap((name) => {
    const bare = code(tree.get(name));
    return [...bare.matchAll(/\bdoor_open\s*\(/g)].map((m) => `${name}:${lineOf(bare, m.index)}: door_open() in a command: operator_open() gives root up first`);
  });
}

const add = (name, line) => (tree) => tree.set(name, `${line}\n${tree.get(name) ?? ''}`);
layers.faults = {
  'a rule includes a library': add('src/reply.c', '#include <sodium.h>'),
  'a second gear includes the same library': add('src/file.c', '#include <sqlite3.h>'),
  'gear includes gear': add('src/host.c', '#include "text.h"'),
  'somebody includes a part of another module': add('src/reader.c', '#include "fcgi_gather.h"'),
  'gear includes a rule': add('src/db.c', '#include "reply.h"'),
  'gear includes generated queries': add('src/file.c', '#include "sql/rejoinder/reply.h"'),
  'base includes gear': add('src/out.h', '#include "text.h"'),
  'a rule includes a door': add('src/verdict.c', '#include "door.h"'),
  'a door includes another door': add('src/reader.c', '#include "moderator.h"'),
  'a library in a header': add('src/db.h', '#include <sqlite3.h>'),
  'a rule reads the clock': add('src/spam.c', 'static int64_t now(void) { return time(NULL); }'),
  'a rule reads the environment': add('src/page.c', 'static const char *home(void) { return getenv("HOME"); }'),
  'a rule makes random bytes': add('src/session.c', 'static void fill(void *p) { (void)getrandom(p, 1, 0); }'),
  'a module that nobody classified': add('src/surprise.c', '#include "str.h"'),
};
openings.faults = {
  'a command opens the store as root': add('src/operator_work.c', 'static int f(struct door *d) { return door_open("", d); }'),
};
