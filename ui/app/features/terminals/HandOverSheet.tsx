import { useRef, useState } from "react";
import type { HandedOver, Plan, Terminal } from "#client/api.gen.ts";
import { ApiError } from "#client/rpc.ts";
import { Actions, Button, Checkbox } from "#kit/core.tsx";
import { Sheet } from "#kit/overlays.tsx";
import { Note, Skeleton } from "#kit/states.tsx";
import { Seen } from "#kit/values.tsx";
import { asApiError, useEngine, useRead, useTask } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { go } from "../../route.ts";
import shell from "../../shell.module.css";
import { w } from "../../words.ts";
import { held } from "../plan/gate.ts";
import { asked, stepOf, type HandOverTarget } from "./handOver.ts";
import { StartButtons } from "./StartButtons.tsx";
import css from "./terminals.module.css";
import { StateMark } from "./TerminalRow.tsx";
import { queueOf } from "./typing.ts";
import { useTerminals } from "./useTerminals.ts";

const words = w.terminals.handOver;

/** Puts a plan or a step before a program in a terminal. Submitting is a separate act. */
export function HandOverSheet({ target, onClose }: { target: HandOverTarget | undefined; onClose(): void }) {
  // The plan as it is now: others may add and move steps while this is open.
  const now = useRead("plans.get", target ? { plan: target.plan.id } : null).value;
  if (!target) return null;
  const plan = now ?? target.plan;
  const step = stepOf(plan, target.step);
  return (
    <Sheet title={target.step === undefined ? words.plan : step ? words.step(step.number) : words.title} close={w.close} open onClose={onClose}>
      <Body key={`${target.plan.id} ${target.step}`} plan={plan} step={target.step} onClose={onClose} />
    </Sheet>
  );
}

function Body({ plan, step, onClose }: { plan: Plan; step: string | undefined; onClose(): void }) {
  const { connection, prefs } = useEngine();
  // Who has begun to decide means the steps that were accepted; who has not means the plan as it is.
  const [undecided, setUndecided] = useState<boolean>();
  const all = step !== undefined || (undecided ?? plan.steps.every((s) => s.decision !== "accepted"));
  const project = useRead("sessions.get", { session: plan.session }).value?.project;
  const { terminals, error, again } = useTerminals();
  const [chosen, setChosen] = useState<string>();
  const [done, setDone] = useState<{ to: Terminal; result: HandedOver; submitted?: boolean }>();
  const task = useTask();
  const keys = useRef(new Map<string, string>());
  const running = terminals?.filter((t) => t.state === "running" && t.project === project);
  // The one of this session first: that is where its agent is.
  const to = running?.find((t) => t.id === chosen) ?? running?.find((t) => t.session === plan.session) ?? running?.[0];
  const handOver = (terminal: Terminal) =>
    task.run(async () => {
      // The same key until it is known to have happened, so that a lost answer does not paste twice.
      const key = keys.current.get(terminal.id) ?? crypto.randomUUID();
      keys.current.set(terminal.id, key);
      const what = asked(plan, step);
      if (!what) throw new ApiError("not_found", "no_step", words.gone);
      const result = await connection.call("terminals.hand_over", { terminal: terminal.id, key, plan: plan.id, version: plan.version, all, ...what })
        .catch(async (error: unknown) => {
          // Of what is shown nothing else is handed over: who presses again has seen what there is now.
          if (asApiError(error).reason === "plan_changed") await connection.store.refresh("plans.get", { plan: plan.id });
          throw error;
        });
      keys.current.delete(terminal.id);
      setDone({ to: terminal, result });
    });
  const show = (terminal: Terminal) => {
    onClose();
    prefs.set(`terminal.${plan.session}`, terminal.id);
    if (terminal.session === plan.session) go({ page: "session", session: plan.session, station: "run" });
    else go({ page: "terminals", terminal: terminal.id });
  };
  if (done) {
    return (
      <>
        <Outcome result={done.result} />
        {done.submitted && <p role="status">{words.submitted}</p>}
        <Actions>
          {!done.submitted && (
            <Button onClick={() => { queueOf(connection, done.to.id).type("\r"); setDone({ ...done, submitted: true }); }}>{words.submit}</Button>
          )}
          <Button look="primary" onClick={() => show(done.to)}>{words.show}</Button>
        </Actions>
      </>
    );
  }
  const one = stepOf(plan, step);
  if (step !== undefined && !one) return <Note tone="warning" live><p>{words.gone}</p></Note>;
  return (
    <>
      <p>{words.lead(one ? words.oneStep(one.number) : words.wholePlan)}</p>
      {step === undefined && <Goes plan={plan} all={all} setAll={setUndecided} />}
      {!running && (error ? <ErrorNote error={error} again={again} /> : <Skeleton rows={2} label={w.loading} />)}
      {running?.length === 0 && <p>{words.none}</p>}
      {running && running.length > 0 && (
        <fieldset className={shell.choices}>
          <legend>{words.to}</legend>
          {running.map((t) => (
            <label key={t.id} className={css.choice}>
              <input type="radio" name="terminal" checked={t.id === to?.id} onChange={() => setChosen(t.id)} />
              <span className={css.choiceTitle}><Seen text={t.title} /></span><StateMark terminal={t} />
            </label>
          ))}
        </fieldset>
      )}
      <ErrorNote error={task.error} again={to && (() => handOver(to))} />
      <Actions>
        {to && <Button look="primary" disabled={task.busy} onClick={() => handOver(to)}>{words.button}</Button>}
        {project !== undefined && <StartButtons look={to ? "outline" : "primary"} project={project} session={plan.session} started={(t) => setChosen(t.id)} />}
      </Actions>
    </>
  );
}

/** Which steps go, by what was decided about them. */
function Goes({ plan, all, setAll }: { plan: Plan; all: boolean; setAll(all: boolean): void }) {
  const back = plan.steps.filter((s) => held(s, all) !== undefined).map((s) => s.number);
  const open = plan.steps.filter((s) => s.decision === "open" && held(s, true) === undefined).length;
  return (
    <div className={css.goes}>
      <p role="status">
        {w.review.handOver.goes(plan.steps.length - back.length, plan.steps.length)}
        {back.length > 0 && ` ${w.review.handOver.held(back)}`}
      </p>
      {open > 0 && <label className={css.choice}><Checkbox checked={all} onChange={(e) => setAll(e.target.checked)} />{w.review.handOver.open(open)}</label>}
    </div>
  );
}

function Outcome({ result }: { result: HandedOver }) {
  const replaced = result.replaced > 0 && <p>{words.replaced(result.replaced)}</p>;
  if (result.kind === "pasted") return <Note tone="accent" live><p>{words.pasted(result.characters)}</p>{replaced}</Note>;
  return <Note tone="accent" live><p>{words.why[result.reason]} {words.file(result.path)}</p>{replaced}</Note>;
}
