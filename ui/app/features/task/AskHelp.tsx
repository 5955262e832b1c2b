import { PenLine } from "lucide-react";
import { useState, type FormEvent } from "react";
import type { Job } from "#client/api.gen.ts";
import { ApiError } from "#client/rpc.ts";
import { Actions, Button, Field } from "#kit/core.tsx";
import { Pop } from "#kit/overlays.tsx";
import { Seen } from "#kit/values.tsx";
import { useAction } from "../../actions.tsx";
import { useEngine, useKeptTask, useWhyNot } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { fromHere, type Lead } from "../../lead.ts";
import { w } from "../../words.ts";
import { NoModel } from "../account/NoModel.tsx";
import { useModel } from "../account/useModel.ts";
import { saidOf } from "../jobs/asking.ts";
import type { SessionView } from "../sessions/view.ts";
import type { Draft } from "./draft.ts";
import { follow, passageOf, type Passage, type Selected } from "./passage.ts";
import css from "./task.module.css";

/** Besides the primary action of the station. */
const KEYS = "Mod+Shift+Enter";

interface AskHelpProps {
  view: SessionView;
  draft: Draft;
  selected: Selected | undefined;
  active: boolean;
  openAccount(): void;
}

/** Asks a model for the whole task put precisely, or for better words for what is selected. */
export function AskHelp({ view, draft, selected, active, openAccount }: AskHelpProps) {
  const { connection, tasks } = useEngine();
  const { models, model } = useModel();
  const [explain, setExplain] = useState(false);
  // Of the text as it was when the passage was chosen: it may change while the wish is written.
  const [chosen, setChosen] = useState<{ passage: Passage; of: string }>();
  // The focus goes on to the approval then, and not back to the task, which would take the station along.
  const [sent, setSent] = useState(false);
  const [wish, setWish] = useState("");
  const key = `task.help.${view.id}`;
  const task = useKeptTask(key);
  const { text } = draft.state;
  const passage = selected && passageOf(text, selected.start, selected.end);
  const whyNot = useWhyNot("run");
  const reason = whyNot ?? (text.trim() === "" ? w.task.findReason : undefined);
  const start = (ask: (model: { model?: string }) => Promise<Job>) => {
    const lead = fromHere();
    tasks.run(key, () => begin(ask, lead));
  };
  const begin = async (ask: (model: { model?: string }) => Promise<Job>, lead: Lead) => {
    // Places and versions are those of the text that the engine has.
    await draft.flush();
    const job = await ask(model ? { model: model.id } : {});
    setSent(true);
    setWish("");
    setChosen(undefined);
    await connection.store.refresh("jobs.list", {});
    lead({ page: "session", session: view.id, station: "approve", job: job.id }, saidOf(connection.store, job.id, job));
  };
  const none = models !== undefined && !model;
  const refine = () => (none ? setExplain(!explain) : start((of) => connection.call("tasks.refine", { session: view.id, ...of })));
  const choose = () => {
    if (none) return setExplain(!explain);
    if (task.busy) return;
    tasks.clear(key);
    setSent(false);
    if (passage) setChosen({ passage, of: text });
  };
  const improve = () =>
    start((of) => {
      const { text: stored, version } = draft.stored;
      const now = chosen && follow(chosen.passage, chosen.of, stored);
      if (!now) throw new ApiError("conflict", "task_changed", w.task.help.moved);
      return connection.call("tasks.improve", { session: view.id, version, start: now.start, end: now.end, ...(wish.trim() === "" ? {} : { wish: wish.trim() }), ...of });
    });
  const part = passage !== undefined || chosen !== undefined;
  useAction(active ? { id: "task-help", label: part ? w.task.help.improveAll : w.task.help.refineAll, keys: KEYS, run: part ? choose : refine, reason, here: true } : undefined);
  useAction(active && part ? { id: "task-refine", label: w.task.help.refineAll, run: refine, reason, here: true } : undefined);
  const keys = active ? KEYS : undefined;
  return (
    <>
      {part ? (
        <AskImprove
          passage={chosen?.passage} wish={wish} setWish={setWish} keys={keys} reason={reason} error={task.error} busy={task.busy} sent={sent}
          open={choose} close={() => setChosen(undefined)} ask={improve}
        />
      ) : (
        <Button className={css.help} keys={keys} reason={reason} disabled={task.busy} onClick={refine}><PenLine size={16} aria-hidden="true" />{w.task.help.refine}</Button>
      )}
      {task.error && !chosen && <div className={css.wide}><ErrorNote error={task.error} /></div>}
      {explain && none && <NoModel models={models} openAccount={openAccount} />}
    </>
  );
}

interface AskImproveProps {
  /** The chosen passage, while its wish is asked for. */
  passage: Passage | undefined;
  wish: string;
  setWish(wish: string): void;
  keys: string | undefined;
  reason: string | undefined;
  error: ApiError | undefined;
  busy: boolean;
  sent: boolean;
  open(): void;
  close(): void;
  ask(): void;
}

/** The button for a selected passage, and over it the field for a wish. */
function AskImprove({ passage, wish, setWish, keys, reason, error, busy, sent, open, close, ask }: AskImproveProps) {
  const label = <><PenLine size={16} aria-hidden="true" />{w.task.help.improve}</>;
  if (reason !== undefined) return <Button className={css.help} keys={keys} reason={reason}>{label}</Button>;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!busy) ask();
  };
  return (
    <Pop
      label={w.task.help.improve}
      open={passage !== undefined}
      onOpenChange={(next) => (next ? open() : close())}
      returnFocus={!sent}
      trigger={<Button className={css.help} keys={keys} disabled={busy && passage === undefined}>{label}</Button>}
    >
      <form className={css.wish} onSubmit={submit}>
        <p className={css.passage}><span>{w.task.help.passage}</span><q><Seen text={passage?.words ?? ""} /></q></p>
        <Field label={w.task.help.wish} hint={w.task.help.wishHint} value={wish} onChange={(e) => setWish(e.target.value)} maxLength={1000} />
        <ErrorNote error={error} />
        <Actions>
          <Button type="submit" look="primary" disabled={busy}>{w.task.help.ask}</Button>
          <Button look="plain" onClick={close}>{w.cancel}</Button>
        </Actions>
      </form>
    </Pop>
  );
}
