import { useEffect, useRef, type KeyboardEvent } from "react";
import { Actions, Button, cx } from "#kit/core.tsx";
import kit from "#kit/kit.module.css";
import { toasts } from "#kit/overlays.tsx";
import { useTask } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";
import css from "./settings.module.css";
import { textProblem, type TextKind } from "./texts.ts";
import { useStoring } from "./useTexts.ts";

interface TextEditorProps {
  kind: TextKind;
  project: string;
  name: string;
  /** What is used now. */
  from: string;
  draft: string;
  /** Keeps what is typed, also when the sheet is closed; without a text it is given up. */
  setDraft(draft: string | undefined): void;
  /** Why it cannot be stored, besides what is wrong with the text. */
  reason?: string | undefined;
  stored?(): void;
}

/** One's own text, kept while it is written and used once it is stored. */
export function TextEditor({ kind, project, name, from, draft, setDraft, reason, stored }: TextEditorProps) {
  const task = useTask();
  const { save } = useStoring(kind, project);
  const area = useRef<HTMLTextAreaElement>(null);
  const words = w.settings.texts;
  const wrong = textProblem(kind, draft);
  const whyNot = reason ?? wrong ?? (draft === from ? words.unchanged : undefined);
  useEffect(() => area.current?.focus({ preventScroll: true }), []);
  const store = () => {
    if (whyNot !== undefined || task.busy) return;
    task.run(async () => {
      await save(name, draft);
      setDraft(undefined);
      toasts.add({ title: words.stored });
      stored?.();
    });
  };
  const key = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat) return;
    event.preventDefault();
    store();
  };
  return (
    <form className={css.editing} onKeyDown={key} onSubmit={(event) => { event.preventDefault(); store(); }}>
      <label className={kit.field}>
        <span>{words.own}</span>
        <textarea ref={area} className={cx(kit.input, css.editor)} rows={14} spellCheck={false} value={draft} onChange={(e) => setDraft(e.target.value)} />
        <span className={cx(kit.hint, wrong !== undefined && css.wrong)} role="status">{wrong ?? words.names[kind]}</span>
      </label>
      <ErrorNote error={task.error} />
      <Actions>
        <Button type="submit" look="primary" keys="Mod+Enter" reason={whyNot} disabled={task.busy}>{words.save}</Button>
        <Button look="plain" disabled={task.busy} onClick={() => setDraft(undefined)}>{draft === from ? w.cancel : words.discard}</Button>
      </Actions>
    </form>
  );
}
