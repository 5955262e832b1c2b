import { FileCheck2 } from "lucide-react";
import type { Job } from "#client/api.gen.ts";
import { EmptyState, Skeleton } from "#kit/states.tsx";
import { RelativeTime, Seen } from "#kit/values.tsx";
import { useRead } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { href } from "../../route.ts";
import css from "../../shell.module.css";
import { w } from "../../words.ts";
import { PermissionsLink } from "../settings/Permissions.tsx";
import { costText, isPlain } from "./sentence.ts";

/** Everything that waits for the person, in all sessions. */
export function ApprovalsPage() {
  const { value, error } = useRead("jobs.list", {});
  const waiting = value?.jobs.filter((j) => j.state === "waiting_approval");
  return (
    <div className={css.page}>
      <div className={css.pageHead}><h1>{w.nav.approvals}</h1><PermissionsLink /></div>
      {!value && (error ? <ErrorNote error={error} /> : <Skeleton label={w.loading} />)}
      {waiting?.length === 0 && <EmptyState icon={FileCheck2} title={w.approve.listEmpty} />}
      {waiting && waiting.length > 0 && (
        <ul className={css.rows}>{waiting.map((job) => <li key={job.id}><Waiting job={job} /></li>)}</ul>
      )}
    </div>
  );
}

function Waiting({ job }: { job: Job }) {
  const session = useRead("sessions.get", { session: job.session }).value;
  const manifest = useRead("approvals.get", job.approval === undefined ? null : { approval: job.approval }).value;
  return (
    <div className={css.row}>
      <a className={css.rowMain} href={href({ page: "session", session: job.session, station: "approve", job: job.id })}>
        <span className={css.rowTitle}><Seen text={session?.title || w.sessions.untitled} /></span>
        <span className={css.rowSub}>
          {manifest && <span><Seen text={`${isPlain(job.workflow, manifest) ? "" : `${w.approve.forPurpose(manifest.purpose)} · `}${manifest.model}`} /> · {w.approve.filesTokens(manifest.files.length, String(manifest.input_tokens))} · {costText(manifest)}</span>}
        </span>
      </a>
      <span className={css.rowEnd}><RelativeTime at={job.updated_at} /></span>
    </div>
  );
}
