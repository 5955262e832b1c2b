import { CircleCheck, CircleDashed, CircleSlash, CircleX, Hourglass, LoaderCircle, X } from "lucide-react";
import type { Job, JobState } from "#client/api.gen.ts";
import { IconButton, Pill, type Tone } from "#kit/core.tsx";
import { toasts } from "#kit/overlays.tsx";
import { RelativeTime } from "#kit/values.tsx";
import { asApiError, useEngine, useMay, useRead } from "../../engine.tsx";
import { href, type Station } from "../../route.ts";
import { sentence, w } from "../../words.ts";
import css from "./jobs.module.css";

const ICONS = {
  queued: CircleDashed, running: LoaderCircle, waiting_approval: Hourglass, completed: CircleCheck, failed: CircleX, canceled: CircleSlash,
};
const TONES: Record<JobState, Tone> = {
  queued: "plain", running: "accent", waiting_approval: "waiting", completed: "create", failed: "error", canceled: "plain",
};

export const isOpen = (job: Job): boolean => ["queued", "running", "waiting_approval"].includes(job.state);

function stationOf(job: Job): Station {
  return job.state === "waiting_approval" || job.state === "queued" ? "approve" : "plan";
}

/** One job, with a way to its station and a way to stop it. */
export function JobRow({ job, onGo }: { job: Job; onGo?: () => void }) {
  const { connection } = useEngine();
  const session = useRead("sessions.list", {}).value?.sessions.find((s) => s.id === job.session);
  const may = useMay("run");
  const Icon = ICONS[job.state];
  const cancel = () =>
    void connection.call("jobs.cancel", { job: job.id }).then(
      () => connection.store.refresh("jobs.list", {}),
      (error: unknown) => toasts.add({ title: sentence(asApiError(error)) }),
    );
  const title = session?.title || w.sessions.untitled;
  return (
    <div className={css.job}>
      <a className={css.main} href={href({ page: "session", session: job.session, station: stationOf(job), plan: stationOf(job) === "plan" ? job.plan : undefined })} onClick={onGo}>
        <span className={css.title}>{w.jobs.workflows[job.workflow] ?? job.workflow}: {title}</span>
        <span className={css.note}>{job.note}</span>
      </a>
      <span className={css.end}>
        <Pill tone={TONES[job.state]}><Icon size={12} aria-hidden="true" />{w.jobs.states[job.state]}</Pill>
        <span className={css.time}><RelativeTime at={job.updated_at} /></span>
      </span>
      {isOpen(job) && may ? <IconButton label={`${w.jobs.cancel}: ${title}`} onClick={cancel}><X size={16} /></IconButton> : <span className={css.gap} />}
    </div>
  );
}
