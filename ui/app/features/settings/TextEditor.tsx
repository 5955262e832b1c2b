import { useEffect, useRef, type KeyboardEvent } from "react";
import { Actions, Button, cx } from "#kit/core.tsx";
import kit from "#kit/kit.module.css";
import { toasts } from "#kit/overlays.tsx";
import { Note } from "#kit/states.tsx";
import { asApiError, useTask } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";
import { TextDiff } from "./Diff.tsx";
import css from "./settings.module.css";
import { textProblem, usedIn, type OwnText, type TextDraft, type TextKind } from "./texts.ts";
import { useStoring } from "./useTexts.ts";

interface TextEditorProps {
  kind: TextKind;
  project: string;
  name: string;
  /** What is used now, with its hash; it may be another text by now than the one that the draft was made from. */
  used: Pick<OwnText, "text" | "hash">;
  draft: TextDraft;
  /** Nothing is used under the name any more: the text that the draft was made from was taken back. */
  gone?: boolean;
  /** Keeps what is typed, also when the sheet is closed; without a draft it is given up. */
  setDraft(draft: TextDraft | undefined): void;
  /** The text that was `sent` is stored, as `from`; more may have been typed meanwhile. */
  stored(sent: string, from: string): void;
  /** Reads what is used anew. */
  again(): Promise<void>;
  /** Why it cannot be stored, besides what is wrong with the text. */
  reason?: string | undefined;
}

/** One's own text, kept while it is written and used once it is stored. */
export function TextEditor({ kind, project, name, used, gone = false, draft, setDraft, stored, again, reason }: TextEditorProps) {
  const task = useTask();
  const { save } = useStoring(kind, project);
  const area = useRef<HTMLTextAreaElement>(null);
  const words = w.settings.texts;
  const { text, from } = draft;
  const wrong = textProblem(kind, text);
  const whyNot = reason ?? wrong ?? (text === used.text ? words.unchanged : undefined);
  useEffect(() => area.current?.focus({ preventScroll: true }), []);
  const store = () => {
    if (whyNot !== undefined || task.busy) return;
    task.run(async () => {
      // In the place of what is shown as used: of anything newer the engine tells first.
      const now = await save(name, text, used.hash).catch(async (error: unknown) => {
        if (asApiError(error).code === "conflict") await again();
        throw error;
      });
      stored(text, usedIn(now, name)?.text ?? text);
      toasts.add({ title: words.stored });
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
        <textarea ref={area} className={cx(kit.input, css.editor)} rows={14} spellCheck={false} value={text} onChange={(e) => setDraft({ text: e.target.value, from })} />
        <span className={cx(kit.hint, wrong !== undefined && css.wrong)} role="status">{wrong ?? words.names[kind]}</span>
      </label>
      {gone ? <Note tone="warning" live><p>{words.gone}</p></Note> : used.text !== from && used.text !== text && (
        <>
          <Note tone="warning" live><p>{words.elsewhere}</p></Note>
          <details>
            <summary>{words.theirs}</summary>
            <TextDiff before={from} after={used.text} />
          </details>
        </>
      )}
      <ErrorNote error={task.error} />
      <Actions>
        <Button type="submit" look="primary" keys="Mod+Enter" reason={whyNot} disabled={task.busy}>{words.save}</Button>
        <Button look="plain" disabled={task.busy} onClick={() => setDraft(undefined)}>{text === from ? w.cancel : words.discard}</Button>
      </Actions>
    </form>
  );
}
