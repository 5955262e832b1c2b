import { useMemo } from "react";
import type { Suggestion } from "#client/api.gen.ts";
import { Actions, Button, cx } from "#kit/core.tsx";
import { Sheet } from "#kit/overlays.tsx";
import { CopyButton, Note } from "#kit/states.tsx";
import { Seen } from "#kit/values.tsx";
import { w } from "../../words.ts";
import { change, type ChangeRow } from "./change.ts";
import css from "./task.module.css";

interface ChangeSheetProps {
  suggestion: Suggestion;
  open: boolean;
  onClose(): void;
  /** Puts the words into the task; absent where their place is not certain. */
  use: (() => void) | undefined;
}

/** What was there before, and what a model made of it. */
export function ChangeSheet({ suggestion, open, onClose, use }: ChangeSheetProps) {
  const title = suggestion.state === "applied" ? w.task.help.changed : w.task.help.suggested;
  return (
    <Sheet title={title} close={w.close} open={open} onClose={onClose} wide>
      {suggestion.alarm !== undefined && <Note tone="error"><p>{suggestion.alarm}</p></Note>}
      <div className={css.change} role="region" aria-label={title} tabIndex={0}><Rows before={suggestion.before ?? ""} after={suggestion.text} /></div>
      <Actions>
        {use && <Button look="primary" onClick={() => { onClose(); use(); }}>{w.task.help.use}</Button>}
        <CopyButton text={suggestion.text} words={{ copy: w.error.copy, copied: w.error.copied }} />
      </Actions>
    </Sheet>
  );
}

/** Compared only while it is looked at, and once. */
function Rows({ before, after }: { before: string; after: string }) {
  const rows = useMemo(() => change(before, after), [before, after]);
  return rows.map((row, i) => <Row key={i} row={row} />);
}

const SIGNS = { "-": "−", "+": "+", " ": "" };

function Row({ row: { sign, parts } }: { row: ChangeRow }) {
  return (
    <p className={cx(css.row, sign === "-" && css.gone, sign === "+" && css.come)}>
      <span className={css.sign} aria-hidden="true">{SIGNS[sign]}</span>
      <span>
        {sign !== " " && <span className="sr">{sign === "-" ? w.task.help.removed : w.task.help.added}: </span>}
        {parts.map((part, i) => (part.marked ? <b key={i}><Seen text={part.text} /></b> : <Seen key={i} text={part.text} />))}
      </span>
    </p>
  );
}
