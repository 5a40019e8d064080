// The page's secret, and the hash of it that is sent with the hit. crypto.subtle is not there on
// plain http pages, so SHA-256 is done here, for one block.

/** 128 random bits as 22 characters of base64url. */
export function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const text = btoa(String.fromCharCode(...bytes)).slice(0, 22);
  return text.replace(/\+/g, "-").replace(/\//g, "_");
}

/** The first 32 bits of the fraction. */
const fraction = (root: number) => root * 2 ** 32;

const rotated = (word: number, by: number) => (word >>> by) | (word << (32 - by));

/** The first 16 bytes of SHA-256 of at most 55 characters of ASCII, in hex. */
export function hashOf(text: string): string {
  const rounds = new Int32Array(64);
  const start = new Int32Array(64);
  for (let at = 0, number = 2; at < 64; number++) {
    let divisor = 2;
    while (number % divisor) divisor++;
    if (divisor < number) continue;
    start[at] = fraction(number ** 0.5);
    rounds[at++] = fraction(Math.cbrt(number));
  }

  const words = new Int32Array(64);
  [...text, "\x80"].forEach((letter, at) => {
    words[at >> 2]! |= letter.charCodeAt(0) << (24 - 8 * (at % 4));
  });
  words[15] = text.length * 8;

  const state = [...start.subarray(0, 8)];
  for (let at = 0; at < 64; at++) {
    const word = (back: number) => words[at - back]!;
    const [a, b, c, , e, f, g] = state as [number, number, number, number, number, number, number];
    if (at > 15) {
      const [near, far] = [word(2), word(15)];
      words[at] =
        word(16) + (rotated(far, 7) ^ rotated(far, 18) ^ (far >>> 3)) +
        word(7) + (rotated(near, 17) ^ rotated(near, 19) ^ (near >>> 10));
    }
    const one =
      state.pop()! + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + ((e & f) ^ (~e & g)) +
      rounds[at]! + words[at]!;
    const other =
      (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    state[3]! = (state[3]! + one) | 0;
    state.unshift((one + other) | 0);
  }
  return state
    .slice(0, 4)
    .map((word, at) => ((word + start[at]!) >>> 0).toString(16).padStart(8, "0"))
    .join("");
}
