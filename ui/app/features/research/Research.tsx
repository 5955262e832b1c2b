import { ChevronRight, Globe, LoaderCircle, Hourglass, Plus, X } from "lucide-react";
import { useId, useState } from "react";
import type { Job, WebFinding } from "#client/api.gen.ts";
import { Button, Checkbox, cx, IconButton, Pill, type Tone } from "#kit/core.tsx";
import kit from "#kit/kit.module.css";
import { Skeleton } from "#kit/states.tsx";
import { Money, RelativeTime, Seen } from "#kit/values.tsx";
import { useAction } from "../../actions.tsx";
import { useEngine, useMay, useRead, useWhyNot } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { usePref } from "../../prefs.ts";
import { href } from "../../route.ts";
import { w } from "../../words.ts";
import { isOpen } from "../jobs/asking.ts";
import jobs from "../jobs/jobs.module.css";
import type { SessionView } from "../sessions/view.ts";
import { draftOf } from "./ask.ts";
import { AskSheet } from "./AskSheet.tsx";
import { FindingSheet } from "./FindingSheet.tsx";
import { asksNothing, isAnswer, NO_DRAFT, phaseOf, summary, tellsOfProposal, withQuestion, type AskDraft, type Phase } from "./research.ts";
import css from "./research.module.css";
import { useAttach, type Attaching } from "./useResearch.ts";

/** What was looked up on the web for a session: one line until somebody opens it. */
export function Research({ view, active }: { view: SessionView; active: boolean }) {
  const { connection, prefs } = useEngine();
  const { value, error } = useRead("research.list", { session: view.id });
  const [open, setOpen] = usePref(prefs, `research.open.${view.id}`, false);
  const [draft, setDraft] = usePref<AskDraft>(prefs, draftOf(view.id), NO_DRAFT);
  const [asking, setAsking] = useState(false);
  const [reading, setReading] = useState<string>();
  const attach = useAttach(view.id);
  const whyNot = useWhyNot("run");
  const list = useId();
  const findings = value?.findings ?? [];
  const any = findings.length > 0;
  const ask = () => setAsking(true);
  const read = findings.find((f) => f.id === reading);
  useAction(active ? { id: "research.ask", label: w.research.ask, keys: "w", run: ask, reason: whyNot, here: true } : undefined);
  useAction(active && any ? { id: "research.list", label: open ? w.research.hide : w.research.show, run: () => setOpen(!open), here: true } : undefined);
  const again = (question: string) => {
    setReading(undefined);
    setDraft(withQuestion(draft, question));
    setAsking(true);
  };
  return (
    <section className={css.section} aria-label={w.research.title}>
      <div className={css.head}>
        {any ? (
          <h3><button type="button" className={css.fold} aria-expanded={open} aria-controls={list} onClick={() => setOpen(!open)}>
            <ChevronRight size={14} aria-hidden="true" />{w.research.title}
          </button></h3>
        ) : <h3 className={css.title}><Globe size={14} aria-hidden="true" />{w.research.title}</h3>}
        <div className={css.said}>{value && <Said view={view} findings={findings} />}</div>
        <Button look="plain" keys={active ? "w" : undefined} reason={whyNot} onClick={ask}>
          <Plus size={16} aria-hidden="true" /><span>{w.research.askShort}<span className={css.rest}>{w.research.askRest}</span></span>
        </Button>
      </div>
      {value && <Proposal view={view} findings={findings} />}
      {!value && error && <div className={css.inset}><ErrorNote error={error} again={() => void connection.store.refresh("research.list", { session: view.id })} /></div>}
      {!read && attach.error && <div className={css.inset}><ErrorNote error={attach.error} /></div>}
      {open && !value && !error && <Skeleton rows={2} label={w.loading} />}
      {open && any && (
        <ul id={list} className={css.list} aria-label={w.research.title}>
          {findings.toReversed().map((f) => <li key={f.id}><Row finding={f} phase={phaseOf(f, view.jobs)} attach={attach} read={() => setReading(f.id)} /></li>)}
        </ul>
      )}
      <AskSheet view={view} draft={draft} setDraft={setDraft} open={asking} onClose={() => setAsking(false)} onAsked={() => setOpen(true)} />
      {read && <FindingSheet finding={read} phase={phaseOf(read, view.jobs)} attach={attach} onClose={() => setReading(undefined)} again={() => again(read.question)} />}
    </section>
  );
}

/** How many go with the next plan, and what is open. */
function Said({ view, findings }: { view: SessionView; findings: WebFinding[] }) {
  const { attached, waiting, underWay } = summary(findings, view.jobs);
  const first = waiting[0];
  if (findings.length === 0) return <span className={css.small}>{w.research.none}</span>;
  return (
    <>
      <span className={css.small} role="status">{w.research.attached(attached, findings.length)}{underWay > 0 && !first && `, ${w.research.underWay(underWay)}`}</span>
      {first && <a className={css.waits} href={href({ page: "session", session: view.id, station: "approve", job: first.job })}>{w.research.waits(waiting.length)}</a>}
    </>
  );
}

/** Questions that a model is asked to propose, as long as there is something to say of that. */
function Proposal({ view, findings }: { view: SessionView; findings: WebFinding[] }) {
  const { prefs } = useEngine();
  const [dismissed, dismiss] = usePref(prefs, `research.dismissed.${view.id}`, "");
  const job = tellsOfProposal(view.jobs, findings, dismissed, Date.now());
  if (!job) return null;
  const waiting = job.state === "waiting_approval";
  const under = isOpen(job);
  const Icon = waiting ? Hourglass : under ? LoaderCircle : Globe;
  return (
    <div className={css.proposal}>
      <Icon size={16} aria-hidden="true" className={under && !waiting ? jobs.spin : undefined} />
      <span role="status">{proposalText(job, findings)}</span>
      {waiting && <a className={kit.button} href={href({ page: "session", session: view.id, station: "approve", job: job.id })}>{w.research.look}</a>}
      {!under && <IconButton label={w.research.proposal.dismiss} onClick={() => dismiss(job.id)}><X size={16} /></IconButton>}
    </div>
  );
}

function proposalText(job: Job, findings: WebFinding[]): string {
  if (job.state === "waiting_approval") return w.research.proposal.waiting;
  if (asksNothing(job, findings)) return w.research.proposal.nothing;
  return job.state === "running" || job.state === "queued" ? w.research.proposal.working : job.note;
}

const TONES: Partial<Record<Phase, Tone>> = { waiting: "waiting", running: "accent", network: "waiting", cut: "warning", failed: "error" };

function Row({ finding, phase, attach, read }: { finding: WebFinding; phase: Phase; attach: Attaching; read(): void }) {
  const may = useMay("edit");
  const on = attach.attached(finding);
  const answered = isAnswer(finding);
  const doubtful = finding.state === "answered" && finding.trouble !== undefined;
  return (
    <div className={css.row} data-on={on || undefined}>
      <label className={css.tick} title={answered ? undefined : w.research.notAnswered}>
        <Checkbox aria-label={w.research.attach(finding.question)} checked={on} disabled={!answered || !may} onChange={(e) => attach.set(finding, e.target.checked)} />
      </label>
      <button type="button" className={css.main} onClick={read}>
        <span className={css.question}><Seen text={finding.question} /></span>
        <span className={cx(css.small, css.sub)}>
          {answered && <span>{finding.sources.length > 0 ? w.research.source(finding.sources.length) : w.research.noSources}</span>}
          {finding.cost !== undefined && <Money micro={finding.cost} />}
          <RelativeTime at={finding.answered_at ?? finding.created_at} />
        </span>
      </button>
      {doubtful && <Pill tone="warning">{w.research.doubtful}</Pill>}
      {phase !== "answered" && <Pill tone={TONES[phase] ?? "plain"}>{w.research.phase[phase]}</Pill>}
    </div>
  );
}
