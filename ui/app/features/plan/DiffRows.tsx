import type { DiffLine, DiffSide } from "#client/api.gen.ts";
import { plain } from "#kit/invisible.ts";
import { Seen } from "#kit/values.tsx";
import { w } from "../../words.ts";
import { change } from "../task/change.ts";
import css from "./review.module.css";
import { fold } from "./versions.ts";

const SIGNS: Record<DiffSide, string> = { removed: "−", added: "+", both: "" };
const SIDES = { "-": "removed", "+": "added", " ": "both" } as const;

/** The lines in which two texts differ, and those that both have. */
export const rowsOf = (before: string, after: string): DiffLine[] =>
  change(before, after).map(({ sign, parts }) => ({ side: SIDES[sign], text: parts.map((p) => p.text).join("") }));

/** What went, what came and what stayed, line by line. */
export function DiffRows({ rows, label }: { rows: DiffLine[]; label: string }) {
  return (
    <div className={css.diff} role="region" aria-label={plain(label)} tabIndex={0}>
      {fold(rows).map((row, i) => ("alike" in row ? (
        <p key={i} className={css.alike}><span aria-hidden="true">⋯</span><span>{w.review.versions.alike(row.alike)}</span></p>
      ) : (
        <p key={i} data-side={row.side}>
          <span aria-hidden="true">{SIGNS[row.side]}</span>
          <span>{row.side !== "both" && <span className="sr">{row.side === "removed" ? w.task.help.removed : w.task.help.added}: </span>}<Seen text={row.text} /></span>
        </p>
      )))}
    </div>
  );
}
