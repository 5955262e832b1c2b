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

/** What a change of a step that was asked of a model is doing, or what came of it. */
export function StepJob({ plan, view, show }: { plan: Plan; view: SessionView; show: ((version: number) => void) | undefined }) {
  const { prefs } = useEngine();
  const [dismissed, dismiss] = usePref(prefs, `review.asked.${plan.id}`, "");
  const job = latestAsked(view.jobs, plan.id, dismissed, Date.now());
  const ended = job !== undefined && !isOpen(job);
  const versions = useRead("plans.versions", ended && job.state === "completed" ? { plan: plan.id } : null).value?.versions;
  const manifest = useRead("approvals.get", job?.approval === undefined ? null : { approval: job.approval }).value;
  if (!job || (job.state === "completed" && !versions)) return null;
  const waiting = job.state === "waiting_approval";
  const to = manifest?.destinations[0];
  const who = to ? `${to.model} ${w.models.at} ${to.provider}` : w.task.help.someone;
  const made = job.state === "completed" ? madeBy(job, versions ?? []) : undefined;
  const text = waiting ? words.waiting
    : isPreparing(job) ? words.preparing
    : job.state === "completed" ? (made?.note ?? words.ended)
    : job.state === "running" || job.state === "queued" ? words.running(who) : job.note;
  return (
    <div className={css.strip} role="group" aria-label={words.strip}>
      <Line icon={waiting ? Hourglass : ended ? PenLine : LoaderCircle} spin={job.state === "running"} text={text}>
        {waiting && <a className={kit.button} href={href({ page: "session", session: job.session, station: "approve", job: job.id })}>{words.look}</a>}
        {made && show && <Button onClick={() => show(made.number)}>{words.show}</Button>}
        {ended && <IconButton label={w.review.trouble.dismiss} onClick={() => dismiss(job.id)}><X size={16} /></IconButton>}
      </Line>
    </div>
  );
}
