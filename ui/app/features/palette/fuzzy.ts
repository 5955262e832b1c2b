const isBreak = (letter: string | undefined): boolean => /[\s/_.\-:]/.test(letter ?? "");

/** How well `query` matches `text`, or undefined when it does not: letters in order, better at word starts. */
export function fuzzy(query: string, text: string): number | undefined {
  const q = query.toLowerCase().replace(/\s+/g, "");
  const t = text.toLowerCase();
  if (q === "") return 0;
  const whole = t.indexOf(query.toLowerCase().trim());
  // What is written as typed comes first, at the start of a word before the middle of one.
  if (whole >= 0) return (whole === 0 || isBreak(t[whole - 1]) ? 2000 : 1000) - whole - t.length / 100;
  let score = 0;
  let from = 0;
  let last = -2;
  for (const letter of q) {
    const at = t.indexOf(letter, from);
    if (at < 0) return undefined;
    const start = at === 0 || isBreak(t[at - 1]);
    score += at === last + 1 ? 8 : start ? 6 : 1;
    last = at;
    from = at + 1;
  }
  return score - t.length / 100;
}
