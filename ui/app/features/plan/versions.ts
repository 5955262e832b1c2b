import type { DiffLine, PlanVersion, StepDiff } from "#client/api.gen.ts";
import { w } from "../../words.ts";

/** Two versions, the older first. */
export interface Pair {
  from: number;
  to: number;
}

/** What a version is compared with when nothing else is said: the one before, and the first with the present one. */
export function otherOf(chosen: number, versions: PlanVersion[]): number {
  const before = versions.findLast((v) => v.number < chosen);
  return before?.number ?? versions.at(-1)?.number ?? chosen;
}

export const pairOf = (a: number, b: number): Pair => ({ from: Math.min(a, b), to: Math.max(a, b) });

/** What became of a step between two versions. */
export function placeOf({ before, after }: StepDiff): string {
  const words = w.review.versions.place;
  if (before === undefined) return words.added(after ?? 0);
  if (after === undefined) return words.gone(before);
  return before === after ? words.changed(after) : words.moved(before, after);
}

/** Lines that both versions have are left out but for so many around what differs. */
const AROUND = 3;
export type FoldedRow = DiffLine | { alike: number };

export function fold(rows: DiffLine[]): FoldedRow[] {
  const near = rows.map(() => false);
  rows.forEach((row, i) => {
    if (row.side !== "both") near.fill(true, Math.max(0, i - AROUND), i + AROUND + 1);
  });
  const out: FoldedRow[] = [];
  rows.forEach((row, i) => {
    const last = out.at(-1);
    if (near[i]) out.push(row);
    else if (last && "alike" in last) last.alike += 1;
    else out.push({ alike: 1 });
  });
  // A single line is as short as what would stand in its place.
  return out.map((row, i) => ("alike" in row && row.alike === 1 ? (rows[place(out, i)] as DiffLine) : row));
}

/** Where among all lines a folded one begins. */
const place = (folded: FoldedRow[], at: number): number => folded.slice(0, at).reduce((n, row) => n + ("alike" in row ? row.alike : 1), 0);
