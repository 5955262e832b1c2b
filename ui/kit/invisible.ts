/** A part of a text as it is, or a character of it that would not be seen. */
export type Seen = { text: string } | { sign: string };

/**
 * Controls besides tab and line break, and characters that show nothing or turn the direction of what follows: with them
 * a text may read as something that it is not. The same set as `is_invisible` of the crate `plan`.
 */
const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;

/** A text with each character that would not be seen as the name of its code point. */
export function seen(text: string): Seen[] {
  const out: Seen[] = [];
  let from = 0;
  for (const { 0: sign, index } of text.matchAll(INVISIBLE)) {
    if (index > from) out.push({ text: text.slice(from, index) });
    out.push({ sign: `U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}` });
    from = index + sign.length;
  }
  if (from < text.length) out.push({ text: text.slice(from) });
  return out;
}

/** The same as text alone, for where nothing can be marked: the names of windows and of what is read aloud. */
export const plain = (text: string): string => seen(text).map((part) => ("sign" in part ? `[${part.sign}]` : part.text)).join("");
