import { X } from "lucide-react";
import { Button } from "#kit/core.tsx";
import { Progress, useAfter } from "#kit/states.tsx";
import { useAction } from "../../actions.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";
import css from "./files.module.css";
import type { useFind } from "./useFind.ts";

/** A search under way: a line at once, numbers after a second, words after four. */
export function Finding({ find }: { find: ReturnType<typeof useFind> }) {
  const { state } = find;
  const begun = useAfter(state.running, 150);
  const numbers = useAfter(state.running, 1000);
  const long = useAfter(state.running, 4000);
  useAction(state.running ? { id: "find.stop", label: w.stop, keys: "Mod+.", run: find.stop, here: true } : undefined);
  if (state.error) return <div className={css.finding}><ErrorNote error={state.error} again={find.start} /></div>;
  if (!state.running || !begun) return null;
  return (
    <div className={css.finding}>
      <Progress value={state.done} total={state.total} label={w.files.finding(state.phase)} />
      <div className={css.findingLine}>
        <span role="status">{w.files.finding(state.phase)}</span>
        {numbers && <span>{w.files.progress(state.done, state.total)}</span>}
        <Button look="plain" keys="Mod+." onClick={find.stop}><X size={14} aria-hidden="true" />{w.stop}</Button>
      </div>
      {long && <p className={css.read}>{w.files.long}</p>}
    </div>
  );
}
