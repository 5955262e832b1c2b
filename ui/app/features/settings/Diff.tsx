import { useEffect, useMemo } from "react";
import { cx } from "#kit/core.tsx";
import { Skeleton } from "#kit/states.tsx";
import { Seen } from "#kit/values.tsx";
import { useEngine, useRead } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";
import { change } from "../task/change.ts";
import css from "./settings.module.css";
import { unifiedRows, type DiffRow } from "./texts.ts";

/** How a prompt differs from the default, as the engine says it. */
export function PromptDiff({ project, name, untrusted }: { project: string; name: string; untrusted: boolean }) {
  const { store } = useEngine().connection;
  const params = { project, name, untrusted };
  const { value, error, loading } = useRead("prompts.diff", params);
  // What was read before may be of another text.
  useEffect(() => void (store.peek("prompts.diff", { project, name, untrusted }).value && store.refresh("prompts.diff", { project, name, untrusted })), [store, project, name, untrusted]);
  const rows = useMemo(() => (value ? unifiedRows(value.text) : []), [value]);
  if (error && !loading) return <ErrorNote error={error} again={() => void store.refresh("prompts.diff", params)} />;
  return value ? <Rows rows={rows} same={w.settings.texts.same} /> : <Skeleton rows={4} label={w.loading} />;
}

/** How a file differs from the template that is used. */
export function TextDiff({ before, after }: { before: string; after: string }) {
  const rows = useMemo<DiffRow[]>(() => (before === after ? [] : change(before.replace(/\n$/, ""), after.replace(/\n$/, "")).map(({ sign, parts }) => ({ sign, text: parts.map((p) => p.text).join("") }))), [before, after]);
  return <Rows rows={rows} same={w.settings.texts.sameUsed} />;
}

const SIGNS = { "-": "−", "+": "+", " ": "", "@": "…" };

function Rows({ rows, same }: { rows: DiffRow[]; same: string }) {
  const words = w.settings.texts;
  if (rows.length === 0) return <p className="quiet">{same}</p>;
  return (
    <div className={cx(css.text, css.diff)} role="region" aria-label={words.diff} tabIndex={0}>
      {rows.map(({ sign, text }, i) => (
        <p key={i} className={cx(css.line, sign === "-" && css.gone, sign === "+" && css.come, sign === "@" && css.skip)}>
          <span className={css.sign} aria-hidden="true">{SIGNS[sign]}</span>
          <span>
            {(sign === "-" || sign === "+") && <span className="sr">{sign === "-" ? w.task.help.removed : w.task.help.added}: </span>}
            <Seen text={text} />
          </span>
        </p>
      ))}
    </div>
  );
}
