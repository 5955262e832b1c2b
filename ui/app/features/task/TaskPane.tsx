import { Search } from "lucide-react";
import { useEffect, useRef, useSyncExternalStore, type ReactNode } from "react";
import { Button } from "#kit/core.tsx";
import { useAction } from "../../actions.tsx";
import { useEngine, useMay, useWhyNot } from "../../engine.tsx";
import { w } from "../../words.ts";
import { useFind } from "../files/useFind.ts";
import session from "../sessions/session.module.css";
import type { SessionView } from "../sessions/view.ts";
import { Conflict } from "./Conflict.tsx";
import type { DraftState } from "./draft.ts";
import css from "./task.module.css";

interface TaskPaneProps {
  view: SessionView;
  active: boolean;
  tools?: ReactNode;
}

/** The task in the person's words. */
export function TaskPane({ view, active, tools }: TaskPaneProps) {
  const { drafts } = useEngine();
  const stored = view.session;
  if (!stored) throw new Error("The task is shown once its session is known.");
  const draft = drafts.of(stored);
  const state = useSyncExternalStore(draft.watch, draft.snapshot);
  useEffect(() => draft.seen(stored), [draft, stored]);
  const find = useFind(view.id);
  const editor = useRef<HTMLTextAreaElement>(null);
  const empty = state.text.trim() === "";
  const whyNot = useWhyNot("files");
  const mayEdit = useMay("edit");
  const reason = whyNot ?? (empty ? w.task.findReason : undefined);
  useAction(active ? { id: "find", label: w.task.find, keys: "Mod+Enter", run: find.start, reason, here: true } : undefined);
  useEffect(() => {
    // Arriving with nothing written yet: the one thing to do is to write.
    if (active && draft.state.text === "") editor.current?.focus();
  }, [active, draft]);
  return (
    <>
      <div className={session.head}>
        <h2>{w.task.title}</h2>
        <Status state={state} />
        <span className={session.spring} />
        {tools}
      </div>
      {state.status === "conflict" && <Conflict draft={draft} state={state} />}
      <textarea
        ref={editor}
        className={css.editor}
        aria-label={w.task.label}
        placeholder={w.task.placeholder}
        value={state.text}
        readOnly={!mayEdit}
        onChange={(event) => draft.edit(event.target.value)}
        onBlur={() => void draft.flush().catch(() => {})}
      />
      <div className={session.foot}>
        <Button look={active ? "primary" : "outline"} keys={active ? "Mod+Enter" : undefined} reason={reason} onClick={find.start}>
          <Search size={16} aria-hidden="true" />
          {w.task.find}
        </Button>
      </div>
    </>
  );
}

const STATUS: Record<DraftState["status"], string> = {
  saved: w.task.saved, dirty: w.task.dirty, saving: w.task.dirty, offline: w.task.offline, failed: w.task.failed, conflict: "",
};

function Status({ state }: { state: DraftState }) {
  if (state.text === "" && state.status === "saved") return null;
  return <span className={css.status} data-status={state.status}>{STATUS[state.status]}</span>;
}
