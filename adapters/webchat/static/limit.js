// How long a text is, in the characters the server counts (code points), quickly also for a very long one.

const NUMBER = new Intl.NumberFormat();

/** The number of code points. */
export function lengthOf(text) {
  let length = text.length;
  for (let index = 0; index < text.length - 1; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit < 0xdc00) {
      const next = text.charCodeAt(index + 1);
      if (next >= 0xdc00 && next < 0xe000) {
        length -= 1;
        index += 1;
      }
    }
  }
  return length;
}

/** A kind sentence where a text is too long to be sent, or null. */
export function tooLong(text, limit) {
  // A code point is one or two units: most texts need no counting.
  if (text.length <= limit) return null;
  const length = lengthOf(text);
  if (length <= limit) return null;
  return `This is ${NUMBER.format(length)} characters long, and one message holds ${NUMBER.format(limit)}. Please shorten it by ${NUMBER.format(length - limit)}, or send it in parts. Nothing is lost: it stays here.`;
}
