import type { DiffLine, DiffSide } from "#client/api.gen.ts";
import { Seen } from "#kit/values.tsx";
import { w } from "../../words.ts";
import { change } from "../task/change.ts";
import css from "./review.module.css";

const SIGNS: Record<DiffSide, string> = { removed: "−", added: "+", both: "" };
const SIDES = { "-": "removed", "+": "added", " ": "both" } as const;

/** The lines in which two texts differ, and those that both have. */
export const rowsOf = (before: string, after: string): DiffLine[] =>
  change(before, after).map(({ sign, parts }) => ({ side: SIDES[sign], text: parts.map((p) => p.text).join("") }));

/** What went, what came and what stayed, line by line. */
export function DiffRows({ rows, label }: { rows: DiffLine[]; label: string }) {
  return (
    <div className={css.diff} role="region" aria-label={label} tabIndex={0}>
      {rows.map(({ side, text }, i) => (
        <p key={i} data-side={side}>
          <span aria-hidden="true">{SIGNS[side]}</span>
          <span>{side !== "both" && <span className="sr">{side === "removed" ? w.task.help.removed : w.task.help.added}: </span>}<Seen text={text} /></span>
        </p>
      ))}
    </div>
  );
}
