import { useEngine, useKeptTask } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { fromHere, type Lead } from "../../lead.ts";
import type { Route } from "../../route.ts";
import { w } from "../../words.ts";
import { ModelPicker } from "../account/ModelPicker.tsx";
import { useModel } from "../account/useModel.ts";
import { saidOf } from "../jobs/asking.ts";
import { askMerge, mergeTask, mergeWish } from "./merge.ts";
import { Writing } from "./Writing.tsx";

const words = w.review.compare.model;
/** The engine counts bytes: at worst four a character. */
const MOST = 4096;

interface MergeByModelProps {
  session: string;
  plans: string[];
  close(): void;
  /** Called with the way to the approval. */
  asked(lead: Lead, to: Route, said: string): void;
}

/** Asks a model to make one plan of those that are compared. What would be sent is shown first. */
export function MergeByModel({ session, plans, close, asked }: MergeByModelProps) {
  const engine = useEngine();
  const { models, model, choose } = useModel();
  const task = useKeptTask(mergeTask(session));
  const name = model ? `${model.name} ${w.models.at} ${model.provider}` : w.task.help.someone;
  const send = (wish: string) => {
    const lead = fromHere();
    return askMerge(engine, { session, plans, wish, model: model?.id }, (job) => asked(lead, { page: "session", session: job.session, station: "approve", job: job.id }, saidOf(engine.connection.store, job.id, job)));
  };
  return (
    <Writing
      draft={mergeWish(session)} label={words.wish} hint={task.busy ? words.busy : words.hint(name, plans.length)} button={words.send} most={MOST} busy={task.busy} optional
      reason={models !== undefined && !model ? w.files.noModel : undefined} send={send} close={close} taken={() => {}}
    >
      {models && models.models.length > 0 && <ModelPicker models={models} value={model?.id} onChange={choose} />}
      <ErrorNote error={task.error} />
    </Writing>
  );
}
