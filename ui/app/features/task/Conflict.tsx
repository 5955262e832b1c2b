import { Actions, Button } from "#kit/core.tsx";
import { Note } from "#kit/states.tsx";
import { w } from "../../words.ts";
import type { Draft, DraftState } from "./draft.ts";
import css from "./task.module.css";

/** Two texts for one task: both are shown, and nothing is lost whatever is chosen. */
export function Conflict({ draft, state }: { draft: Draft; state: DraftState }) {
  return (
    <div className={css.conflict}>
      <Note tone="warning" live>
        <p>{w.task.conflict}</p>
        <Actions>
          <Button onClick={() => draft.choose("both")}>{w.task.keepBoth}</Button>
          <Button onClick={() => draft.choose("yours")}>{w.task.keepYours}</Button>
          <Button onClick={() => draft.choose("theirs")}>{w.task.keepTheirs}</Button>
        </Actions>
        <div className={css.other}>
          <h3>{w.task.theirs}</h3>
          <pre tabIndex={0}>{state.theirs?.text}</pre>
        </div>
      </Note>
    </div>
  );
}
