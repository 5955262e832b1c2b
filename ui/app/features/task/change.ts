/** How one text became another, line by line. Pure; tested in test/help.test.ts. */

export interface ChangeRow {
  sign: "-" | "+" | " ";
  /** The line; the words that make the difference are marked where most of it stayed. */
  parts: { text: string; marked: boolean }[];
}

/** More cells than this are not compared: everything between the common beginning and end counts as changed. */
const MOST = 4_000_000;
/** Below this share of common words, marking the others would mark nearly everything. */
const LEAST = 0.4;

/** Which of `a` and of `b` belong to the longest sequence that both have. */
function common(a: string[], b: string[]): [Uint8Array, Uint8Array] {
  const inA = new Uint8Array(a.length);
  const inB = new Uint8Array(b.length);
  let head = 0;
  const most = Math.min(a.length, b.length);
  while (head < most && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < most - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  inA.fill(1, 0, head).fill(1, a.length - tail);
  inB.fill(1, 0, head).fill(1, b.length - tail);
  const rows = a.length - tail - head;
  const columns = b.length - tail - head;
  if (rows === 0 || columns === 0 || rows * columns > MOST) return [inA, inB];
  // length[i][j]: of the longest common sequence of what begins at i and at j.
  const width = columns + 1;
  const length = new Uint16Array((rows + 1) * width);
  const at = (i: number, j: number) => length[i * width + j] ?? 0;
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      length[i * width + j] = a[head + i] === b[head + j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  for (let i = 0, j = 0; i < rows && j < columns; ) {
    if (a[head + i] === b[head + j]) {
      inA[head + i++] = 1;
      inB[head + j++] = 1;
    } else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return [inA, inB];
}

/** Words, blanks and signs; a path or a name with its parts is one word. */
const words = (text: string): string[] => text.match(/\n|[^\S\n]+|[\p{L}\p{N}_]+(?:[./:-]+[\p{L}\p{N}_]+)*|[^\s\p{L}\p{N}_]/gu) ?? [];
const isBlank = (token: string | undefined): boolean => token === undefined || token.trim() === "";

/** The lines of a block, with the tokens marked that `same` does not name. */
function rows(sign: "-" | "+", tokens: string[], same: Uint8Array, mark: boolean): ChangeRow[] {
  const out: ChangeRow[] = [{ sign, parts: [] }];
  tokens.forEach((token, i) => {
    if (token === "\n") return void out.push({ sign, parts: [] });
    // A blank between two marked words is marked with them.
    const changed = isBlank(token) ? same[i - 1] === 0 && same[i + 1] === 0 : same[i] === 0;
    const marked = mark && changed;
    const parts = out.at(-1)?.parts ?? [];
    const last = parts.at(-1);
    if (last?.marked === marked) last.text += token;
    else parts.push({ text: token, marked });
  });
  return out;
}

/** Lines that gave way to others. */
function block(gone: string[], come: string[]): ChangeRow[] {
  const [before, after] = [words(gone.join("\n")), words(come.join("\n"))];
  const [inBefore, inAfter] = common(before, after);
  const kept = before.filter((token, i) => inBefore[i] === 1 && !isBlank(token)).length;
  const all = Math.max(...[before, after].map((tokens) => tokens.filter((token) => !isBlank(token)).length));
  const mark = kept > 0 && kept >= all * LEAST;
  return [
    ...(gone.length > 0 ? rows("-", before, inBefore, mark) : []),
    ...(come.length > 0 ? rows("+", after, inAfter, mark) : []),
  ];
}

/** What went, what came and what stayed. */
export function change(before: string, after: string): ChangeRow[] {
  const [a, b] = [before.split("\n"), after.split("\n")];
  const [inA, inB] = common(a, b);
  const out: ChangeRow[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    if (inA[i] === 1 && inB[j] === 1) {
      out.push({ sign: " ", parts: [{ text: a[i] ?? "", marked: false }] });
      i++;
      j++;
      continue;
    }
    const [fromA, fromB] = [i, j];
    while (i < a.length && inA[i] === 0) i++;
    while (j < b.length && inB[j] === 0) j++;
    out.push(...block(a.slice(fromA, i), b.slice(fromB, j)));
  }
  return out;
}
