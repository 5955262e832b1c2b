import { Send } from "lucide-react";
import { useId, useRef, useState, type KeyboardEvent, type RefObject } from "react";
import type { Manifest } from "#client/api.gen.ts";
import { Actions, Button, Checkbox, cx } from "#kit/core.tsx";
import kit from "#kit/kit.module.css";
import { Sheet } from "#kit/overlays.tsx";
import { Seen } from "#kit/values.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";
import { Choice } from "../settings/Choice.tsx";
import css from "./approval.module.css";
import { boundsOf, commonFolder, TIMES, type Bounds } from "./remember.ts";
import { door, goesTo } from "./sentence.ts";
import type { Approval } from "./useApproval.ts";

const words = w.remember;

interface RememberSheetProps {
  approval: Approval;
  manifest: Manifest;
  open: boolean;
  onClose(): void;
}

/** Sends a request and lets its session send more within bounds that are set here. */
export function RememberSheet({ open, ...rest }: RememberSheetProps) {
  const first = useRef<HTMLInputElement>(null);
  return (
    <Sheet title={words.title} close={w.close} open={open} onClose={rest.onClose} first={first}>
      <Form {...rest} first={first} />
    </Sheet>
  );
}

function Form({ approval, manifest, onClose, first }: Omit<RememberSheetProps, "open"> & { first: RefObject<HTMLInputElement | null> }) {
  const [bounds, setBounds] = useState<Bounds>({ dollars: "", minutes: "60", under: "", web: false });
  const [tried, setTried] = useState(false);
  const [amount, folder] = [useId(), useId()];
  const set = (over: Partial<Bounds>) => setBounds({ ...bounds, ...over });
  const made = boundsOf(bounds);
  const problem = tried && "problems" in made ? made.problems.dollars : undefined;
  const common = commonFolder(manifest.files.map((f) => f.path));
  const send = () => {
    setTried(true);
    if ("problems" in made) return first.current?.focus();
    if (!approval.busy) void approval.answer(true, made.remember).then((sent) => sent && onClose());
  };
  const key = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    send();
  };
  return (
    <form className={css.remember} onKeyDown={key} onSubmit={(event) => { event.preventDefault(); send(); }}>
      <p><Seen text={words.lead(goesTo(manifest), door(manifest))} /></p>
      <div className={kit.field}>
        <label htmlFor={amount}><span>{words.cap}</span></label>
        <span className={css.dollars}>
          <span aria-hidden="true">$</span>
          <input
            id={amount} ref={first} className={kit.input} inputMode="decimal" autoComplete="off" value={bounds.dollars} placeholder="0.50"
            aria-invalid={problem !== undefined || undefined} aria-describedby={`${amount}-said`} onChange={(e) => set({ dollars: e.target.value })}
          />
        </span>
        <span id={`${amount}-said`} className={cx(kit.hint, problem && css.wrong)} role="status">{problem ?? words.capHint}</span>
      </div>
      <div className={kit.field}>
        <span>{words.time}</span>
        <Choice name="time" label={words.time} options={TIMES} texts={words.times} value={bounds.minutes} set={(minutes) => set({ minutes })} />
      </div>
      <div className={kit.field}>
        <label htmlFor={folder}><span>{words.under}</span></label>
        <span className={css.folder}>
          <input id={folder} className={cx(kit.input, kit.mono)} autoComplete="off" spellCheck={false} value={bounds.under} placeholder={words.underPlaceholder} aria-describedby={`${folder}-said`} onChange={(e) => set({ under: e.target.value })} />
          {common && common !== bounds.under && <Button look="plain" onClick={() => set({ under: common })}>{words.only(common)}</Button>}
        </span>
        <span id={`${folder}-said`} className={kit.hint}>{words.underHint}</span>
      </div>
      {manifest.web && <label className={css.also}><Checkbox checked={bounds.web} onChange={(e) => set({ web: e.target.checked })} />{words.web}</label>}
      <ErrorNote error={approval.error} />
      <Actions>
        <Button type="submit" look="primary" keys="Mod+Enter" aria-busy={approval.busy || undefined}><Send size={16} aria-hidden="true" />{words.send}</Button>
        <Button look="plain" onClick={onClose}>{w.cancel}</Button>
      </Actions>
    </form>
  );
}
