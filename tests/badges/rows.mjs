// Prints rows for tests/badges/refresh: style, label, color, label color, message, and the SVG that
// badge-maker makes of them, with tabs between. "-" is a color that is not given.
import { makeBadge } from 'badge-maker'

const STYLES = ['flat', 'flat-square', 'plastic']
const NAMES = [
  'brightgreen', 'green', 'yellow', 'yellowgreen', 'orange', 'red', 'blue', 'grey', 'lightgrey',
  'gray', 'lightgray', 'critical', 'important', 'success', 'informational', 'inactive',
]
const MESSAGES = [
  '0', '1', '7', '12', '999', '1,234', '12.3k', '1M', '987,654,321', '18,446,744,073,709,551,615',
  'unknown site',
]
const LABEL_BYTES_MAX = 256

const LABELS = [
  '', 'hits', 'Hits', 'visits today', 'page views', 'i', 'W', 'iiiiiiii', 'WWWWWWWW', 'm', '...',
  // All of ASCII, some at a time.
  ...Array.from({ length: 12 }, (_, i) =>
    Array.from({ length: 8 }, (_, j) => String.fromCharCode(32 + 8 * i + j))
      .filter(c => c !== '\x7f').join('')),
  // What XML and HTML make something of.
  '&', '<', '>', '"', "'", '&amp;', '&#x3c;', '<!--', ']]>', '<?xml',
  '</text><script>alert(1)</script>',
  '"><script>document.title=1</script>', "' onload='alert(1)", '<![CDATA[x]]>', '&lt;b&gt;',
  'a>  b', 'a<  b',
  // Scripts of the world.
  'Besuche größer', 'Œuvre ÿ', 'pohľadov', 'số lượt', 'Просмотры',
  'Επισκέψεις', 'زيارات', 'ביקורים', 'यात्रा',
  'ผู้เข้าชม', '访问量', '訪問者数', 'アクセス', 'ｱｸｾｽ',
  '조회수', 'ተመልካች', 'ნახვა', 'այցեր', 'ᎣᏏᏲ', 'ཁྲི',
  // Wide, combining, joined, invisible, and past the first plane.
  'ＷＩＤＥ　１２３', 'e\u0301', 'Z\u0338\u0327a\u0337l\u0334g\u0336o', '\u0301', '👀',
  '👀 hits', '🔥🔥🔥',
  '👨\u200d👩\u200d👧\u200d👦', '🇦🇹🇫🇷', '👍🏽', '❤\ufe0f',
  '1\ufe0f\u20e3', '𝒽𝒾𝓉𝓈', '𝔥𝔦𝔱𝔰', '𠜎𠜱', '\u{10330}\u{10348}',
  'a\u200bb', 'a\u200db', 'a\u00adb', 'a\u2060b', '\u202eabc\u202c', '\u2066abc\u2069',
  '\u{e0061}\u{e007f}', '\u{e0100}', '\u{e01ef}',
  '\u{e01f0}', '\u{10fffd}', '\ue000', '\uf8ff', '\u0378', '\u024f\u0250', '\u1cff', '\u2e7f',
  '\ufffd', '\ud7ff\ue000', '\u{10000}\u{1ffff}',
  // White space at the ends goes, inside it stays.
  ' hits ', '  a  b  ', '\u00a0a\u00a0b\u00a0', '\u3000a\u3000', '\ufeffa\ufeff', '\u2028a\u2029',
  '\u200ba\u200b', '\u180ea\u180e', '   ',
  // As long as they may be.
  'a'.repeat(LABEL_BYTES_MAX), 'é'.repeat(LABEL_BYTES_MAX / 2), '字'.repeat(85),
  '🔥'.repeat(64), '&'.repeat(64), 'Wi'.repeat(64),
]

const HEX = ['4b0', 'ABC', '#abc', 'fff', '000', 'ffffff', '000000', '4C1', '#4c1', '007EC6',
  '#dfb317', 'b1b1b1', 'b2b2b2', 'b1b1b2']

// Colors as bright as the limit between light and dark text, and next to it.
function colorsAround(limit) {
  const found = []
  for (const wanted of [limit - 1, limit, limit + 1, limit + 2]) {
    let left = 3
    for (let r = 100; r < 256 && left; r += 1) {
      for (let g = 100; g < 256 && left; g += 1) {
        const rest = wanted - 299 * r - 587 * g
        const b = rest / 114
        if (rest < 0 || b > 255 || !Number.isInteger(b)) continue
        found.push([r, g, b].map(n => n.toString(16).padStart(2, '0')).join(''))
        left -= 1
        r += 40
      }
    }
  }
  return found
}

// The same numbers on every machine.
let state = 1
function below(limit) {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
  return (state >>> 8) % limit
}

function randomLabel() {
  const tops = [0x250, 0x600, 0x2000, 0x3000, 0xd800, 0x11000, 0x1f900, 0xe0200]
  const top = tops[below(tops.length)]
  const points = []
  while (points.length < 10) {
    const point = 0xa1 + below(top - 0xa1)
    const isSurrogate = point >= 0xd800 && point < 0xe000
    if (!isSurrogate && point !== 0xfffe && point !== 0xffff) points.push(point)
  }
  return String.fromCodePoint(...points)
}

function print(style, label, color, labelColor, message) {
  const svg = makeBadge({
    style, label, message,
    ...(color !== '-' && { color }),
    ...(labelColor !== '-' && { labelColor }),
  })
  process.stdout.write(`${[style, label, color, labelColor, message, svg].join('\t')}\n`)
}

const turn = (list, i) => list[i % list.length]

LABELS.forEach((label, i) =>
  print(turn(STYLES, i), label, turn(NAMES, i), i % 5 ? '-' : turn(HEX, i), turn(MESSAGES, i)))
for (const style of STYLES) {
  for (const label of ['', 'hits']) {
    for (const labelColor of ['-', 'lightgrey', 'fff']) {
      print(style, label, 'blue', labelColor, '42')
    }
  }
}
for (const message of MESSAGES) print('flat', 'hits', 'blue', '-', message)
;[...NAMES, ...HEX, ...colorsAround(177225)].forEach((color, i, all) =>
  print('flat-square', 'hits', color, all[all.length - 1 - i], '42'))
for (let i = 0; i < 60; i += 1) print('flat-square', randomLabel(), 'blue', '-', '42')
