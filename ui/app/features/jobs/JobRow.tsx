import { CircleCheck, CircleDashed, CirclePause, CirclePlay, CircleSlash, CircleX, Hourglass, LoaderCircle, WifiOff, X } from "lucide-react";
import type { Job, JobState } from "#client/api.gen.ts";
import { IconButton, Pill, type Tone } from "#kit/core.tsx";
import { toasts } from "#kit/overlays.tsx";
import { RelativeTime, Seen } from "#kit/values.tsx";
import { asApiError, useEngine, useMay, useRead } from "../../engine.tsx";
import { href } from "../../route.ts";
import { sentence, w } from "../../words.ts";
import { isOpen, stationOf } from "./asking.ts";
import css from "./jobs.module.css";

const ICONS = {
  queued: CircleDashed, running: LoaderCircle, waiting_approval: Hourglass, waiting_network: WifiOff, paused: CirclePause, completed: CircleCheck, failed: CircleX, canceled: CircleSlash,
};
const TONES: Record<JobState, Tone> = {
  queued: "plain", running: "accent", waiting_approval: "waiting", waiting_network: "waiting", paused: "plain", completed: "create", failed: "error", canceled: "plain",
};

/** One job, with a way to its station and a way to stop it. */
export function JobRow({ job, onGo }: { job: Job; onGo?: () => void }) {
  const { connection } = useEngine();
  const session = useRead("sessions.list", {}).value?.sessions.find((s) => s.id === job.session);
  const may = useMay("run");
  const Icon = ICONS[job.state];
  const change = (method: "jobs.cancel" | "jobs.pause" | "jobs.resume") =>
    void connection.call(method, { job: job.id }).then(
      () => connection.store.refresh("jobs.list", {}),
      (error: unknown) => toasts.add({ title: sentence(asApiError(error)) }),
    );
  const title = session?.title || w.sessions.untitled;
  return (
    <div className={css.job}>
      <a className={css.main} href={href({ page: "session", session: job.session, station: stationOf(job), plan: job.workflow === "step" ? job.about?.[0] : job.workflow === "plan" ? job.plan : undefined, job: job.id })} onClick={onGo}>
        <span className={css.title}>{w.jobs.workflows[job.workflow] ?? job.workflow}: <Seen text={title} /></span>
        <span className={css.note}><Seen text={job.note} /></span>
      </a>
      <span className={css.end}>
        <Pill tone={TONES[job.state]}><Icon size={12} aria-hidden="true" />{w.jobs.states[job.state]}</Pill>
        <span className={css.time}><RelativeTime at={job.updated_at} /></span>
      </span>
      {may && isOpen(job) && (job.state === "paused" || job.state === "waiting_network"
        ? <IconButton label={`${w.jobs.resume}: ${title}`} onClick={() => change("jobs.resume")}><CirclePlay size={16} /></IconButton>
        : <IconButton label={`${w.jobs.pause}: ${title}`} onClick={() => change("jobs.pause")}><CirclePause size={16} /></IconButton>)}
      {isOpen(job) && may ? <IconButton label={`${w.jobs.cancel}: ${title}`} onClick={() => change("jobs.cancel")}><X size={16} /></IconButton> : <span className={css.gap} />}
    </div>
  );
}
