import { Search } from "lucide-react";
import { useRef, type ReactNode } from "react";
import { Button } from "#kit/core.tsx";
import { duration } from "#kit/format.ts";
import { EmptyState, Note, Skeleton } from "#kit/states.tsx";
import { Tokens } from "#kit/values.tsx";
import { useAction } from "../../actions.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";
import { Research } from "../research/Research.tsx";
import session from "../sessions/session.module.css";
import type { SessionView } from "../sessions/view.ts";
import { AddPath } from "./AddPath.tsx";
import css from "./files.module.css";
import { Finding } from "./Finding.tsx";
import { MakePlan } from "./MakePlan.tsx";
import { Rows } from "./Rows.tsx";
import { useFind } from "./useFind.ts";
import { useInclude } from "./useInclude.ts";

interface FilesPaneProps {
  view: SessionView;
  active: boolean;
  openAccount(): void;
  tools?: ReactNode;
}

/** The files that the task concerns, with reasons, each to be ticked. */
export function FilesPane({ view, active, openAccount, tools }: FilesPaneProps) {
  const { ranking } = view;
  const find = useFind(view.id);
  const include = useInclude(view);
  const scroller = useRef<HTMLDivElement>(null);
  const files = ranking ? [...ranking.sources, ...ranking.tests] : [];
  const ticked = files.filter((f) => include.ticked(f));
  const any = files.length > 0;
  const searched = (ranking?.scanned ?? 0) > 0 || any;
  const canFind = (view.session?.task.trim() ?? "") !== "";
  useAction(active && !any && canFind ? { id: "find", label: w.task.find, keys: "Mod+Enter", run: find.start, here: true } : undefined);
  const step = (by: number) => stepFocus(scroller.current, by);
  const move = active && any;
  useAction(move ? { id: "file.next", label: w.keys.next, keys: "j", run: () => step(1), here: true, keysOnly: true } : undefined);
  useAction(move ? { id: "file.prev", label: w.keys.previous, keys: "k", run: () => step(-1), here: true, keysOnly: true } : undefined);
  return (
    <>
      <div className={session.head}>
        <h2>{w.files.title}</h2>
        {any && (
          <span className={css.total} role="status">
            {w.files.total(ticked.length, files.length)} · <Tokens n={ticked.reduce((sum, f) => sum + f.tokens, 0)} exact={false} />
          </span>
        )}
        <span className={session.spring} />
        {any && <AddPath session={view.id} />}
        {tools}
      </div>
      <Finding find={find} />
      <ErrorNote error={include.error} />
      {searched && ranking && !ranking.current && !find.state.running && (
        <div className={css.stale}>
          <Note tone="warning"><div className={css.staleRow}>{w.files.stale}<Button onClick={find.start}>{w.files.again}</Button></div></Note>
        </div>
      )}
      <div className={session.scroll} ref={scroller}>
        {!ranking && (view.rankingError ? <ErrorNote error={view.rankingError} /> : <Skeleton rows={8} label={w.loading} />)}
        {ranking && !any && !find.state.running && (
          <EmptyState icon={Search} title={searched ? w.files.none : canFind ? w.files.empty : w.files.emptyTask}>
            {canFind && <Button look={active ? "primary" : "outline"} keys={active ? "Mod+Enter" : undefined} onClick={find.start}>{searched ? w.files.again : w.task.find}</Button>}
            {searched && <AddPath session={view.id} />}
          </EmptyState>
        )}
        {ranking && any && (
          <>
            <Rows title={w.files.sources} files={ranking.sources} include={include} scroller={scroller} />
            <Rows title={w.files.tests} files={ranking.tests} include={include} scroller={scroller} />
            <p className={css.read}>{w.files.readLine(ranking.scanned, ranking.skipped, duration(ranking.elapsed_ms))}</p>
          </>
        )}
      </div>
      <Research view={view} active={active} />
      <MakePlan view={view} active={active && any} ticked={ticked.length} openAccount={openAccount} />
    </>
  );
}

/** Moves the focus to the next or previous tick box. */
function stepFocus(list: HTMLElement | null, by: number): void {
  const boxes = [...(list?.querySelectorAll<HTMLInputElement>("li input[type=checkbox]") ?? [])];
  const at = boxes.indexOf(document.activeElement as HTMLInputElement);
  const next = boxes[Math.min(boxes.length - 1, Math.max(0, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}
