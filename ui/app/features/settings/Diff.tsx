import { useEffect, useMemo, useState } from "react";
import { cx } from "#kit/core.tsx";
import { Skeleton } from "#kit/states.tsx";
import { Seen } from "#kit/values.tsx";
import { useEngine, useRead } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";
import { change } from "../task/change.ts";
import css from "./settings.module.css";
import { unifiedRows, type DiffRow } from "./texts.ts";

interface PromptDiffProps {
  project: string;
  name: string;
  untrusted: boolean;
  /** Told whether what is shown was read since this is shown. */
  fresh?: (fresh: boolean) => void;
}

/** How a prompt differs from the default, as the engine says it. */
export function PromptDiff({ project, name, untrusted, fresh }: PromptDiffProps) {
  const { store } = useEngine().connection;
  const params = { project, name, untrusted };
  const { value, error, loading } = useRead("prompts.diff", params);
  const [anew, setAnew] = useState(() => store.peek("prompts.diff", params).value === undefined);
  useEffect(() => {
    if (anew) return;
    let shown = true;
    void store.refresh("prompts.diff", { project, name, untrusted }).then(() => shown && setAnew(true));
    return () => {
      shown = false;
    };
  }, [store, project, name, untrusted, anew]);
  const ready = anew && value !== undefined && !error;
  useEffect(() => fresh?.(ready), [fresh, ready]);
  const rows = useMemo(() => (value ? unifiedRows(value.text) : []), [value]);
  if (anew && error && !loading) return <ErrorNote error={error} again={() => void store.refresh("prompts.diff", params)} />;
  // What was read before may be of another text.
  return anew && value ? <Rows rows={rows} same={w.settings.texts.same} /> : <Skeleton rows={4} label={w.loading} />;
}

/** How one text differs from another. */
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
