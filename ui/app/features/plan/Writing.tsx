import { useEffect, useId, useRef, type KeyboardEvent, type ReactNode } from "react";
import { Button } from "#kit/core.tsx";
import kit from "#kit/kit.module.css";
import { Seen } from "#kit/values.tsx";
import { useEngine } from "../../engine.tsx";
import { usePref } from "../../prefs.ts";
import { w } from "../../words.ts";
import css from "./review.module.css";
import { useMounted } from "../../useMounted.ts";

interface WritingProps {
  /** Under which name the text is kept until it was taken. */
  draft: string;
  label: string;
  hint: string;
  button: string;
  /** The longest text that is taken, in characters. */
  most: number;
  busy: boolean;
  reason?: string | undefined;
  /** Nothing need be written. */
  optional?: boolean;
  /** What is chosen besides. */
  children?: ReactNode;
  /** Tells whether it was taken. */
  send(text: string): Promise<boolean>;
  close(): void;
  /** What follows once it was taken, in place of `close`. */
  taken?: (() => void) | undefined;
}

/** A field for words about a step or a plan. Closing it loses nothing: the words are there again when it is opened. */
export function Writing({ draft, label, hint, button, most, busy, reason, optional = false, children, send, close, taken = close }: WritingProps) {
  const { prefs } = useEngine();
  const [text, setText] = usePref<string | undefined>(prefs, draft, undefined);
  const area = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const mounted = useMounted();
  useEffect(() => {
    const { current } = area;
    current?.focus({ preventScroll: true });
    current?.setSelectionRange(current.value.length, current.value.length);
    current?.parentElement?.scrollIntoView({ block: "nearest" });
  }, []);
  const empty = !optional && (text ?? "").trim() === "";
  const submit = () => {
    if (empty || busy || reason !== undefined) return;
    const forget = prefs.sending(draft);
    void send((text ?? "").trim()).then((done) => {
      // Who writes on meanwhile goes on writing: closed under the hand, the next letters would be keys of the step.
      if (done && forget() && mounted.current) taken();
    });
  };
  const leave = (event: KeyboardEvent) => {
    event.preventDefault();
    // One level out: a sheet around it stays.
    event.stopPropagation();
    close();
  };
  // While the focus is elsewhere, a key belongs to what is there. What floats, such as the list of models, is elsewhere too.
  const key = (event: KeyboardEvent) => {
    if (!event.currentTarget.contains(event.target as Node)) return;
    if (event.key === "Escape") return leave(event);
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.nativeEvent.isComposing) return;
    event.preventDefault();
    if (!event.repeat) submit();
  };
  return (
    <div className={css.writing} onKeyDown={key}>
      <label htmlFor={id}>{label}</label>
      <textarea
        ref={area} id={id} className={kit.input} rows={2} maxLength={most} value={text ?? ""} aria-describedby={`${id}-hint`}
        onChange={(event) => setText(event.target.value === "" ? undefined : event.target.value)}
      />
      <p id={`${id}-hint`} className={kit.hint}><Seen text={hint} /></p>
      {children}
      <div className={css.tools}>
        <Button look="primary" keys="Mod+Enter" reason={reason} aria-busy={busy || undefined} aria-disabled={empty || undefined} onClick={submit}>{button}</Button>
        <Button look="plain" keys="Escape" onClick={close}>{w.close}</Button>
      </div>
    </div>
  );
}
