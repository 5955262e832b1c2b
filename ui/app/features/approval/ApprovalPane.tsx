import { FileCheck2 } from "lucide-react";
import type { ReactNode } from "react";
import { Button, Pill } from "#kit/core.tsx";
import { EmptyState, Note, Progress, useAfter } from "#kit/states.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { go } from "../../route.ts";
import { w } from "../../words.ts";
import { JobNote } from "../jobs/JobNote.tsx";
import session from "../sessions/session.module.css";
import type { SessionView } from "../sessions/view.ts";
import css from "./approval.module.css";
import { AlsoGoes } from "./AlsoGoes.tsx";
import { Answer } from "./Answer.tsx";
import { Files } from "./Files.tsx";
import { Secrets } from "./Secrets.tsx";
import { SendSentence } from "./SendSentence.tsx";
import { useApproval } from "./useApproval.ts";
import { Where } from "./Where.tsx";

interface ApprovalPaneProps {
  view: SessionView;
  active: boolean;
  tools?: ReactNode;
}

/** What would be sent, as one sentence with everything behind it, and the two answers. */
export function ApprovalPane({ view, active, tools }: ApprovalPaneProps) {
  const approval = useApproval(view.manifest);
  const { manifest } = approval;
  const { job } = view;
  const preparing = job !== undefined && !manifest && (job.state === "queued" || job.state === "running" || job.state === "waiting_approval");
  return (
    <>
      <div className={session.head}>
        <h2>{w.approve.title}</h2>
        {approval.busy && <Pill>{w.approve.revising}</Pill>}
        <span className={session.spring} />
        {tools}
      </div>
      <div className={session.scroll}>
        {preparing && <Preparing note={job.note} />}
        {!preparing && !manifest && (
          <>
            {job && <div className={css.section}><JobNote job={job} /></div>}
            {view.manifestError && <div className={css.section}><ErrorNote error={view.manifestError} /></div>}
            <EmptyState icon={FileCheck2} title={w.approve.empty} />
          </>
        )}
        {manifest && (
          <div className={css.sheet}>
            <SendSentence manifest={manifest} />
            {manifest.state !== "waiting" && <Ended state={manifest.state} session={view.id} />}
            <Secrets approval={approval} manifest={manifest} />
            <Files approval={approval} manifest={manifest} />
            <AlsoGoes manifest={manifest} />
            <Where approval={approval} manifest={manifest} />
          </div>
        )}
      </div>
      {manifest?.state === "waiting" && <Answer approval={approval} manifest={manifest} active={active} />}
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

function Ended({ state, session: id }: { state: "approved" | "refused" | "superseded"; session: string }) {
  const text = { approved: w.approve.sentAt, refused: w.approve.refusedText, superseded: w.approve.supersededText }[state];
  return (
    <Note tone={state === "approved" ? "accent" : "info"}>
      <div className={css.ended}>
        <span>{text}</span>
        {state === "approved" && <Button onClick={() => go({ page: "session", session: id, station: "plan" })}>{w.approve.goPlan}</Button>}
      </div>
    </Note>
  );
}
