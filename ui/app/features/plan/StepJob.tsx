import { Hourglass, LoaderCircle, PenLine, X } from "lucide-react";
import type { Job, Plan, PlanVersion } from "#client/api.gen.ts";
import { Button, IconButton } from "#kit/core.tsx";
import kit from "#kit/kit.module.css";
import { useEngine, useRead } from "../../engine.tsx";
import { usePref } from "../../prefs.ts";
import { href } from "../../route.ts";
import { w } from "../../words.ts";
import { isOpen, isPreparing } from "../jobs/asking.ts";
import type { SessionView } from "../sessions/view.ts";
import { Line } from "../task/HelpStrip.tsx";
import css from "./review.module.css";

const words = w.review.ask;
/** What ended longer ago than this is no news. */
const OLD_MS = 24 * 60 * 60 * 1000;

/** The newest change of a step of a plan that was asked of a model, until the person has seen what became of it. */
export function latestAsked(jobs: Job[], plan: string, dismissed: string, now: number): Job | undefined {
  const job = jobs.find((j) => j.workflow === "step" && j.about?.includes(plan));
  if (!job || job.id === dismissed || job.state === "canceled") return undefined;
  return isOpen(job) || now - job.updated_at <= OLD_MS ? job : undefined;
}

/** The version that came of a job. */
export const madeBy = (job: Job, versions: PlanVersion[]): PlanVersion | undefined => versions.findLast((v) => v.origin === "step_change" && v.at >= job.created_at);

/** What is under way to make further plans of a plan. */
export const making = (jobs: Job[], plan: string): Job[] => jobs.filter((j) => j.workflow === "plan" && j.plan !== plan && isOpen(j) && j.about?.includes(plan));

export function makingText(job: Job, who: string): string {
  const { making: of } = w.review;
  if (job.state === "waiting_approval") return of.waiting;
  if (isPreparing(job)) return of.preparing;
  return job.state === "running" || job.state === "queued" ? of.running(who) : of.other(w.jobs.states[job.state]);
}

/** Who is asked in a request, as far as it is known. */
function useWho(job: Job | undefined): string {
  const to = useRead("approvals.get", job?.approval === undefined ? null : { approval: job.approval }).value?.destinations[0];
  return to ? `${to.model} ${w.models.at} ${to.provider}` : w.task.help.someone;
}

const Look = ({ job }: { job: Job }) => <a className={kit.button} href={href({ page: "session", session: job.session, station: "approve", job: job.id })}>{words.look}</a>;

function Making({ job }: { job: Job }) {
  const waiting = job.state === "waiting_approval";
  return <Line icon={waiting ? Hourglass : LoaderCircle} spin={job.state === "running"} text={makingText(job, useWho(job))}>{waiting && <Look job={job} />}</Line>;
}

/** What models were asked about a plan is doing, or what came of it. */
export function PlanJobs(props: StepJobProps) {
  const jobs = making(props.view.jobs, props.plan.id);
  return (
    <>
      {jobs.length > 0 && <div className={css.strip} role="group" aria-label={w.review.making.strip}>{jobs.map((job) => <Making key={job.id} job={job} />)}</div>}
      <StepJob {...props} />
    </>
  );
}

interface StepJobProps {
  plan: Plan;
  view: SessionView;
  show: ((version: number) => void) | undefined;
}

/** What a change of a step that was asked of a model is doing, or what came of it. */
function StepJob({ plan, view, show }: StepJobProps) {
  const { prefs } = useEngine();
  const [dismissed, dismiss] = usePref(prefs, `review.asked.${plan.id}`, "");
  const job = latestAsked(view.jobs, plan.id, dismissed, Date.now());
  const ended = job !== undefined && !isOpen(job);
  const versions = useRead("plans.versions", ended && job.state === "completed" ? { plan: plan.id } : null).value?.versions;
  const who = useWho(job);
  if (!job || (job.state === "completed" && !versions)) return null;
  const waiting = job.state === "waiting_approval";
  const made = job.state === "completed" ? madeBy(job, versions ?? []) : undefined;
  const text = waiting ? words.waiting
    : isPreparing(job) ? words.preparing
    : job.state === "completed" ? (made?.note ?? words.ended)
    : job.state === "running" || job.state === "queued" ? words.running(who) : job.note;
  return (
    <div className={css.strip} role="group" aria-label={words.strip}>
      <Line icon={waiting ? Hourglass : ended ? PenLine : LoaderCircle} spin={job.state === "running"} text={text}>
        {waiting && <Look job={job} />}
        {made && show && <Button onClick={() => show(made.number)}>{words.show}</Button>}
        {ended && <IconButton label={w.review.trouble.dismiss} onClick={() => dismiss(job.id)}><X size={16} /></IconButton>}
      </Line>
    </div>
  );
}
