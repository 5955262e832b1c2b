import { SendHorizontal } from "lucide-react";
import { useState, type FormEvent } from "react";
import type { InputQueue } from "#client/terminal/input.ts";
import { Button, Checkbox } from "#kit/core.tsx";
import { useEngine } from "../../engine.tsx";
import { usePref } from "../../prefs.ts";
import { w } from "../../words.ts";
import { KeyBar } from "./KeyBar.tsx";
import type { Paste } from "./paste.tsx";
import css from "./terminals.module.css";
import { controlOf, needsPaste } from "./typing.ts";

interface ComposerProps {
  queue: InputQueue;
  paste: Paste;
  application(): boolean;
}

/** Writes first and sends then: keyboards on phones change words after they were typed, which a terminal cannot. */
export function Composer({ queue, paste, application }: ComposerProps) {
  const { prefs } = useEngine();
  const [text, setText] = useState("");
  const [enter, setEnter] = usePref(prefs, "terminals.enter", true);
  const [control, setControl] = useState(false);
  const send = async () => {
    const pasted = text === "" ? true : needsPaste(text) ? await paste.paste(text) : (queue.type(text), true);
    if (!pasted) return;
    if (enter) queue.type("\r");
    setText("");
  };
  // With Ctrl held the next letter is a key, not text.
  const before = (event: FormEvent<HTMLTextAreaElement>) => {
    const data = (event.nativeEvent as InputEvent).data;
    const key = control && data ? controlOf(data) : undefined;
    if (key === undefined) return;
    event.preventDefault();
    setControl(false);
    queue.type(key);
  };
  return (
    <div className={css.composer}>
      <KeyBar queue={queue} application={application} control={control} setControl={setControl} />
      <div className={css.write}>
        <textarea
          className={css.text}
          aria-label={w.terminals.composer.label}
          placeholder={w.terminals.composer.placeholder}
          rows={Math.min(6, text.split("\n").length)}
          value={text}
          onBeforeInput={before}
          onChange={(e) => setText(e.target.value)}
          autoCapitalize="off"
          autoCorrect="off"
          autoComplete="off"
          spellCheck={false}
        />
        <Button look="primary" onClick={() => void send()}><SendHorizontal size={16} aria-hidden="true" />{w.terminals.composer.send}</Button>
      </div>
      <label className={css.enter}><Checkbox checked={enter} onChange={(e) => setEnter(e.target.checked)} />{w.terminals.composer.enter}</label>
    </div>
  );
}
