import { useState } from "react";
import { Button } from "#kit/core.tsx";
import { useAction } from "../../actions.tsx";
import { useEngine, useKeptTask, useWhyNot } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { fromHere } from "../../lead.ts";
import { w } from "../../words.ts";
import { ModelPicker } from "../account/ModelPicker.tsx";
import { NoModel } from "../account/NoModel.tsx";
import { useModel } from "../account/useModel.ts";
import { saidOf } from "../jobs/asking.ts";
import session from "../sessions/session.module.css";
import type { SessionView } from "../sessions/view.ts";

interface MakePlanProps {
  view: SessionView;
  active: boolean;
  ticked: number;
  openAccount(): void;
}

/** The model that is asked, and the button that asks. */
export function MakePlan({ view, active, ticked, openAccount }: MakePlanProps) {
  const { connection, drafts, tasks } = useEngine();
  const { models, model, choose } = useModel();
  const [explain, setExplain] = useState(false);
  const key = `plan.make.${view.id}`;
  const task = useKeptTask(key);
  const whyNot = useWhyNot("run");
  const reason = whyNot ?? (ticked === 0 && !view.session?.task.trim() ? w.files.makeReason : undefined);
  const start = () => {
    if (models && !model) return setExplain(true);
    const lead = fromHere();
    tasks.run(key, async () => {
      await drafts.get(view.id)?.flush();
      const job = await connection.call("plans.start", { session: view.id, ...(model ? { model: model.id } : {}) });
      await connection.store.refresh("jobs.list", {});
      lead({ page: "session", session: view.id, station: "approve", job: job.id }, saidOf(connection.store, job.id, job));
    });
  };
  useAction(active ? { id: "plan.make", label: w.files.make, keys: "Mod+Enter", run: start, reason, here: true } : undefined);
  return (
    <div className={session.foot}>
      <div className={session.row}>
        {models && models.models.length > 0 && <ModelPicker models={models} value={model?.id} onChange={choose} />}
        {models?.models.length === 0 && <Button look="plain" onClick={() => setExplain(!explain)} aria-expanded={explain}>{w.files.noModel}</Button>}
        <span className={session.spring} />
        <Button look={active ? "primary" : "outline"} keys={active ? "Mod+Enter" : undefined} reason={reason} disabled={task.busy} onClick={start}>{w.files.make}</Button>
      </div>
      {task.error && <div style={{ width: "100%" }}><ErrorNote error={task.error} /></div>}
      {explain && models?.models.length === 0 && <NoModel models={models} openAccount={openAccount} />}
    </div>
  );
}
