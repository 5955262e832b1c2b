import { moved } from "./draft.ts";

/** What is selected in the editor. */
export interface Selected {
  start: number;
  end: number;
}

/** A part of a text, by its places in UTF-16 code units. */
export interface Passage {
  start: number;
  end: number;
  words: string;
}

/** What is selected, without the blanks around it, which no suggestion would have; undefined where that is nothing. */
export function passageOf(text: string, start: number, end: number): Passage | undefined {
  const selected = text.slice(start, end);
  const words = selected.trim();
  if (words === "") return undefined;
  const from = start + selected.indexOf(words);
  return { start: from, end: from + words.length, words };
}

/** The same passage after the text around it changed; undefined where the passage itself did. */
export function follow(passage: Passage, before: string, after: string): Passage | undefined {
  const { length } = passage.words;
  const starts = [moved(passage.start, before, after), moved(passage.end, before, after) - length];
  const start = starts.find((at) => at >= 0 && after.slice(at, at + length) === passage.words);
  return start === undefined ? undefined : { ...passage, start, end: start + length };
}

/** What is selected, with the text that it was selected in. */
export interface SelectedIn extends Selected {
  of: string;
}

/** A selection in the text as it is now; undefined where what was selected did not stay as it was. */
export function selectedNow(selected: SelectedIn | undefined, text: string): Selected | undefined {
  if (!selected || selected.of === text) return selected;
  const { start, end, of } = selected;
  return follow({ start, end, words: of.slice(start, end) }, of, text);
}

/** `text` with `words` in the place of a passage that stands in it exactly once, else undefined. */
export function replaceOnce(text: string, passage: string, words: string): string | undefined {
  const at = passage === "" ? -1 : text.indexOf(passage);
  if (at < 0 || text.indexOf(passage, at + 1) >= 0) return undefined;
  return text.slice(0, at) + words + text.slice(at + passage.length);
}
