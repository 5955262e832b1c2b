import { useEffect, useState } from "react";
import type { HandedOver, Plan, Terminal } from "#client/api.gen.ts";
import { Actions, Button, Checkbox } from "#kit/core.tsx";
import { Sheet, toasts } from "#kit/overlays.tsx";
import { Note, Skeleton } from "#kit/states.tsx";
import { Seen } from "#kit/values.tsx";
import { useEngine, useKeptTask, useRead } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { go } from "../../route.ts";
import shell from "../../shell.module.css";
import { w } from "../../words.ts";
import { held } from "../plan/gate.ts";
import { handOver, handTask, hear, underWay, type Handed } from "./handing.ts";
import { stepOf, type HandOverTarget } from "./handOver.ts";
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
  const engine = useEngine();
  const { connection, prefs, tasks } = engine;
  // Who has begun to decide means the steps that were accepted; who has not means the plan as it is.
  const [undecided, setUndecided] = useState<boolean>();
  const all = step !== undefined || (undecided ?? plan.steps.every((s) => s.decision !== "accepted"));
  const project = useRead("sessions.get", { session: plan.session }).value?.project;
  const { terminals, error, again } = useTerminals();
  const [chosen, setChosen] = useState(() => underWay(tasks, plan.id, step));
  const [done, setDone] = useState<Handed & { submitted?: boolean }>();
  useEffect(() => hear(tasks, plan.id, step, setDone), [tasks, plan.id, step]);
  const running = terminals?.filter((t) => t.state === "running" && t.project === project);
  // The one of this session first: that is where its agent is.
  const to = running?.find((t) => t.id === chosen) ?? running?.find((t) => t.session === plan.session) ?? running?.[0];
  const task = useKeptTask(handTask(to?.id, plan.id, step));
  const begin = (terminal: Terminal) =>
    handOver(engine, terminal, { plan, step, all }, ({ result }) => void toasts.add({ title: outcomeText(result) }));
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
      <ErrorNote error={task.error} again={to && (() => begin(to))} />
      <Actions>
        {to && <Button look="primary" disabled={task.busy} onClick={() => begin(to)}>{words.button}</Button>}
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

const outcomeText = (result: HandedOver): string =>
  result.kind === "pasted" ? words.pasted(result.characters) : `${words.why[result.reason]} ${words.file(result.path)}`;

function Outcome({ result }: { result: HandedOver }) {
  return <Note tone="accent" live><p><Seen text={outcomeText(result)} /></p>{result.replaced > 0 && <p>{words.replaced(result.replaced)}</p>}</Note>;
}
