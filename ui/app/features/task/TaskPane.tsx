import { Search } from "lucide-react";
import { useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore, type ReactNode, type RefObject } from "react";
import { Button, cx } from "#kit/core.tsx";
import { toasts } from "#kit/overlays.tsx";
import { useAction } from "../../actions.tsx";
import { asApiError, useEngine, useMay, useWhyNot } from "../../engine.tsx";
import { sentence, w } from "../../words.ts";
import { useFind } from "../files/useFind.ts";
import session from "../sessions/session.module.css";
import type { SessionView } from "../sessions/view.ts";
import { AskHelp } from "./AskHelp.tsx";
import { moved, type DraftState } from "./draft.ts";
import { HelpStrip } from "./HelpStrip.tsx";
import { selectedNow, type Selected, type SelectedIn } from "./passage.ts";
import css from "./task.module.css";

interface TaskPaneProps {
  view: SessionView;
  active: boolean;
  openAccount(): void;
  tools?: ReactNode;
}

/** The task in the person's words. */
export function TaskPane({ view, active, openAccount, tools }: TaskPaneProps) {
  const { drafts } = useEngine();
  const stored = view.session;
  if (!stored) throw new Error("The task is shown once its session is known.");
  const draft = drafts.of(stored);
  const state = useSyncExternalStore(draft.watch, draft.snapshot);
  useEffect(() => draft.seen(stored), [draft, stored]);
  const find = useFind(view.id);
  const editor = useRef<HTMLTextAreaElement>(null);
  const selected = useSelected(editor, state.text);
  const empty = state.text.trim() === "";
  const whyNot = useWhyNot("files");
  const mayEdit = useMay("edit");
  const reason = whyNot ?? (empty ? w.task.findReason : undefined);
  useAction(active ? { id: "find", label: w.task.find, keys: "Mod+Enter", run: find.start, reason, here: true } : undefined);
  const move = (way: "undo" | "redo") => () =>
    void draft.move(way).catch((error: unknown) => toasts.add({ title: sentence(asApiError(error)) }));
  useAction(active && mayEdit ? { id: "task-undo", label: w.task.undo, run: move("undo"), here: true } : undefined);
  useAction(active && mayEdit ? { id: "task-redo", label: w.task.redo, run: move("redo"), here: true } : undefined);
  useCaret(editor, state);
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
      <HelpStrip view={view} draft={draft} active={active} />
      <div className={cx(session.foot, css.foot)}>
        <Button look={active ? "primary" : "outline"} keys={active ? "Mod+Enter" : undefined} reason={reason} onClick={find.start}>
          <Search size={16} aria-hidden="true" />
          {w.task.find}
        </Button>
        <AskHelp view={view} draft={draft} selected={selected} active={active} openAccount={openAccount} />
      </div>
    </>
  );
}

/** What is selected, also while the focus is elsewhere; undefined where nothing is, so that a walking caret draws nothing anew. */
function useSelected(editor: RefObject<HTMLTextAreaElement | null>, text: string): Selected | undefined {
  const [selected, setSelected] = useState<SelectedIn>();
  useEffect(() => {
    const look = () => {
      const { selectionStart: start, selectionEnd: end, value: of } = editor.current ?? { selectionStart: 0, selectionEnd: 0, value: "" };
      setSelected((old) => (start >= end ? undefined : old?.start === start && old.end === end && old.of === of ? old : { start, end, of }));
    };
    document.addEventListener("selectionchange", look);
    return () => document.removeEventListener("selectionchange", look);
  }, [editor]);
  // Words of others may come in while the focus is elsewhere, and no event tells of that.
  return selectedNow(selected, text);
}

/** Keeps the caret where it was in the words when words of others come in. */
function useCaret(editor: RefObject<HTMLTextAreaElement | null>, state: DraftState): void {
  const last = useRef({ text: state.text, start: 0, end: 0 });
  useLayoutEffect(() => {
    const area = editor.current;
    if (!area) return;
    const { text: before, start, end } = last.current;
    if (before !== state.text && state.status === "saved" && document.activeElement === area) {
      area.setSelectionRange(moved(start, before, state.text), moved(end, before, state.text));
    }
    const note = () => { last.current = { text: area.value, start: area.selectionStart, end: area.selectionEnd }; };
    note();
    document.addEventListener("selectionchange", note);
    return () => document.removeEventListener("selectionchange", note);
  }, [editor, state.text, state.status]);
}

const STATUS: Record<DraftState["status"], string> = {
  saved: w.task.saved, dirty: w.task.dirty, saving: w.task.dirty, offline: w.task.offline, failed: w.task.failed,
};

function Status({ state }: { state: DraftState }) {
  if (state.text === "" && state.status === "saved") return null;
  return <span className={css.status} data-status={state.status} role="status">{state.merged ? w.task.merged : STATUS[state.status]}</span>;
}
