// Prints a row for each 4,096 code points, for tests/badges/refresh: the first one, and the sum of
// their widths in hundredths of a pixel as anafanafo measures them, each times its place in the
// row.
// What a badge cannot have counts nothing.
import anafanafo from 'anafanafo'

const SIZE = 4096
const isNone = c =>
  c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0xd800 && c < 0xe000) ||
  c === 0xfffe || c === 0xffff

for (let first = 0; first < 0x110000; first += SIZE) {
  let sum = 0
  for (let i = 0; i < SIZE; i += 1) {
    if (isNone(first + i)) continue
    const width = anafanafo(String.fromCodePoint(first + i), { font: '11px Verdana' })
    sum += (i + 1) * Math.round(100 * width)
  }
  process.stdout.write(`${first}\t${sum}\n`)
}
