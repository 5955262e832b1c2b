import { FileCheck2 } from "lucide-react";
import { useRef, type ReactNode } from "react";
import type { Job } from "#client/api.gen.ts";
import { ApiError } from "#client/rpc.ts";
import { Button, Pill } from "#kit/core.tsx";
import { EmptyState, Note, Progress, useAfter } from "#kit/states.tsx";
import { useRead } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { go, href, type Station } from "../../route.ts";
import { w } from "../../words.ts";
import { asks, isOpen, resultStation, shownJob } from "../jobs/asking.ts";
import { JobNote } from "../jobs/JobNote.tsx";
import session from "../sessions/session.module.css";
import { useAsked, type SessionView } from "../sessions/view.ts";
import css from "./approval.module.css";
import { AlsoGoes } from "./AlsoGoes.tsx";
import { Answer } from "./Answer.tsx";
import { Files } from "./Files.tsx";
import { Secrets } from "./Secrets.tsx";
import { SendSentence } from "./SendSentence.tsx";
import { isPlain } from "./sentence.ts";
import { useApproval } from "./useApproval.ts";
import { Where } from "./Where.tsx";

interface ApprovalPaneProps {
  view: SessionView;
  active: boolean;
  /** The job that the address names. */
  chosen?: string | undefined;
  tools?: ReactNode;
}

/** What would be sent, as one sentence with everything behind it, and the two answers. */
export function ApprovalPane({ view, active, chosen, tools }: ApprovalPaneProps) {
  const held = useRef<string>(undefined);
  const id = shownJob(view.jobs, chosen, held.current);
  const { job, error } = useJob(view, id);
  if (job && (asks(job) || chosen !== undefined)) held.current = job.id;
  const others = view.jobs.filter((j) => j.id !== id && j.state === "waiting_approval");
  const next = others[0];
  const more = next && <a className={css.more} href={href({ page: "session", session: view.id, station: "approve", job: next.id })}>{w.approve.more(others.length)}</a>;
  const all = <>{more}{tools}</>;
  if (id !== undefined && !job) return <Missing error={error} tools={all} />;
  return <Asked key={id ?? ""} job={job} session={view.id} active={active} tools={all} />;
}

/** The job of this session with this id, also one that the list does not have or does not have yet. */
function useJob(view: SessionView, id: string | undefined): { job: Job | undefined; error: ApiError | undefined } {
  const listed = view.jobs.find((j) => j.id === id);
  const { value, error } = useRead("jobs.get", id === undefined || listed ? null : { job: id });
  const job = listed ?? value;
  if (job && job.session !== view.id) return { job: undefined, error: new ApiError("not_found", "other_session", w.approve.otherSession) };
  return { job, error: job ? undefined : error };
}

/** In the place of a request that is not known, or not yet: no other one is shown for it. */
function Missing({ error, tools }: { error: ApiError | undefined; tools: ReactNode }) {
  return (
    <>
      <div className={session.head}><h2>{w.approve.title}</h2><span className={session.spring} />{tools}</div>
      <div className={session.scroll}>
        {error ? <div className={css.sheet}><ErrorNote error={error} /></div> : <Preparing note={w.loading} />}
      </div>
    </>
  );
}

interface AskedProps {
  job: Job | undefined;
  session: string;
  active: boolean;
  tools: ReactNode;
}

function Asked({ job, session: id, active, tools }: AskedProps) {
  const asked = useAsked(job);
  const approval = useApproval(asked.manifest, job?.workflow ?? "plan");
  const { manifest } = approval;
  const preparing = job !== undefined && !manifest && isOpen(job);
  // A job that was stopped while it asked asks no more, whatever its request says.
  const stopped = job !== undefined && !isOpen(job);
  return (
    <>
      <div className={session.head}>
        <h2>{w.approve.title}</h2>
        {approval.busy && <Pill>{w.approve.revising}</Pill>}
        <span className={session.spring} />
        {approval.next && <Button look="plain" onClick={approval.next}>{w.approve.next}</Button>}
        {tools}
      </div>
      <div className={session.scroll}>
        {preparing && <Preparing note={job.note} />}
        {!preparing && !manifest && (
          <>
            {(job?.state === "failed" || job?.state === "canceled" || asked.error) && <div className={css.sheet}>{job && <JobNote job={job} />}<ErrorNote error={asked.error} /></div>}
            <EmptyState icon={FileCheck2} title={w.approve.empty} />
          </>
        )}
        {manifest && (
          <div className={css.sheet}>
            <SendSentence manifest={manifest} plan={isPlain(job?.workflow ?? "plan", manifest)} />
            {stopped && manifest.state === "waiting" && <JobNote job={job} />}
            {manifest.state !== "waiting" && <Ended state={manifest.state} session={id} station={resultStation(job?.workflow ?? "plan")} />}
            <Secrets approval={approval} manifest={manifest} />
            <Files approval={approval} manifest={manifest} />
            <AlsoGoes manifest={manifest} />
            <Where approval={approval} manifest={manifest} />
          </div>
        )}
      </div>
      {manifest?.state === "waiting" && !stopped && <Answer approval={approval} manifest={manifest} active={active} />}
    </>
  );
}

function Preparing({ note }: { note: string }) {
  const late = useAfter(true, 150);
  if (!late) return null;
  return (
    <div className={css.section} role="status">
      <Progress label={w.approve.preparing} />
      <p className="quiet" style={{ paddingTop: 8 }}>{note || w.approve.preparing}</p>
    </div>
  );
}

interface EndedProps {
  state: "approved" | "refused" | "superseded";
  session: string;
  station: Station;
}

function Ended({ state, session: id, station }: EndedProps) {
  const text = { approved: w.approve.sentAt, refused: w.approve.refusedText, superseded: w.approve.supersededText }[state];
  return (
    <Note tone={state === "approved" ? "accent" : "info"}>
      <div className={css.ended}>
        <span>{text}</span>
        {state === "approved" && w.approve.goTo[station] && <Button onClick={() => go({ page: "session", session: id, station })}>{w.approve.goTo[station]}</Button>}
      </div>
    </Note>
  );
}
