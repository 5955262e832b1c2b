import { ListTree, Plus } from "lucide-react";
import { useCallback, useRef, useState, type ReactNode } from "react";
import { Button } from "#kit/core.tsx";
import { EmptyState, Progress, Skeleton } from "#kit/states.tsx";
import { Seen } from "#kit/values.tsx";
import { useAction } from "../../actions.tsx";
import { useMay } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { go } from "../../route.ts";
import { w } from "../../words.ts";
import { JobNote } from "../jobs/JobNote.tsx";
import session from "../sessions/session.module.css";
import type { HandOverTarget } from "../terminals/handOver.ts";
import { HandOverSheet } from "../terminals/HandOverSheet.tsx";
import type { SessionView } from "../sessions/view.ts";
import { Banner } from "./Banner.tsx";
import { Earlier } from "./Earlier.tsx";
import { acceptable } from "./gate.ts";
import css from "./plan.module.css";
import { PlanTools } from "./PlanTools.tsx";
import { WHOLE } from "./review.ts";
import { ReviewSheets } from "./ReviewSheets.tsx";
import { StepCard } from "./StepCard.tsx";
import { PlanJobs } from "./StepJob.tsx";
import { StepTrouble } from "./StepTrouble.tsx";
import { useNewSteps } from "./useNewSteps.ts";
import { usePlan } from "./usePlan.ts";
import { useFocusedStep, useReview, useReviewActions } from "./useReview.ts";

interface PlanPaneProps {
  view: SessionView;
  active: boolean;
  chosen: string | undefined;
  tools?: ReactNode;
}

/** The plan, step by step. */
export function PlanPane({ view, active, chosen: named, tools }: PlanPaneProps) {
  const { job } = view;
  // A job has the id of its plan from the beginning; the plan is there once the first words have come.
  const arrived = view.plans?.some((p) => p.id === job?.plan) === true;
  const chosen = named === job?.plan && !arrived ? undefined : named;
  const sending = chosen === undefined && job?.state === "running" && view.plans !== undefined && !arrived && view.manifest?.state === "approved";
  const id = chosen ?? (sending ? undefined : view.plans?.[0]?.id);
  const { plan, characters, error } = usePlan(id);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  // Steps are named anew in each plan: what is open in one says nothing about another.
  const [openIn, setOpenIn] = useState(plan?.id);
  if (plan && plan.id !== openIn) {
    setOpenIn(plan.id);
    setOpen(new Set());
  }
  const [target, setTarget] = useState<HandOverTarget>();
  const may = useMay("type");
  const scroller = useRef<HTMLDivElement>(null);
  const fresh = useNewSteps(scroller, plan);
  const failed = job && !arrived && (job.state === "failed" || job.state === "canceled");
  const step = (by: number) => stepFocus(scroller.current, by);
  const can = active && (plan?.steps.length ?? 0) > 0;
  useAction(can ? { id: "step.next", label: w.keys.next, keys: "j", run: () => step(1), here: true, keysOnly: true } : undefined);
  useAction(can ? { id: "step.prev", label: w.keys.previous, keys: "k", run: () => step(-1), here: true, keysOnly: true } : undefined);
  const shown = useRef(plan);
  shown.current = plan;
  const handOver = useCallback((step?: string) => shown.current && setTarget({ plan: shown.current, step }), []);
  const toggle = useCallback((step: string) => setOpen((old) => {
    const next = new Set(old);
    if (!next.delete(step)) next.add(step);
    return next;
  }), []);
  const show = useCallback((step: string) => setOpen((old) => new Set(old).add(step)), []);
  const reviewing = useReview(plan, show);
  const { review, statuses, said, tools: by } = reviewing;
  useReviewActions(plan, reviewing, active, useFocusedStep(scroller, plan?.id));
  return (
    <>
      <div className={session.head}>
        <h2>{w.plan.title}</h2>
        {view.plans && view.plans.length > 1 && <Earlier plans={view.plans} current={id} session={view.id} active={active} />}
        <span className={session.spring} />
        {plan && <PlanTools plan={plan} open={open} setOpen={setOpen} active={active} versions={by && (() => by.versions())} acceptAll={by?.mayEdit && acceptable(plan).length > 0 ? () => by.review.acceptAll(plan) : undefined} handOver={may ? handOver : undefined} />}
        {tools}
      </div>
      {plan && <Banner plan={plan} characters={characters} view={view} active={active} review={by?.review} />}
      {plan && <PlanJobs plan={plan} view={view} show={by?.versions} />}
      <StepTrouble error={reviewing.looking === undefined ? statuses.get(WHOLE)?.error : undefined} dismiss={() => review?.dismiss(WHOLE)} />
      <span className="sr" role="status"><span key={said.n}>{said.text}</span></span>
      <div className={session.scroll} ref={scroller}>
        {!plan && error && <div className={css.inset}><ErrorNote error={error} /></div>}
        {!plan && !error && (id !== undefined || (!view.plans && !sending)) && <Skeleton rows={6} label={w.loading} />}
        {failed && (!plan || job.created_at > plan.created_at) && <div className={css.inset}><JobNote job={job} /></div>}
        {sending && <Sending note={view.job?.note ?? ""} />}
        {view.plans && id === undefined && !sending && (
          <EmptyState icon={ListTree} title={w.plan.empty}>
            {job?.state === "waiting_approval" && (
              <Button onClick={() => go({ page: "session", session: view.id, station: "approve", job: job.id })}>{w.approve.look}</Button>
            )}
          </EmptyState>
        )}
        {plan && (
          <>
            {plan.title && <h3 className={css.title}><Seen text={plan.title} /></h3>}
            <ol key={plan.id} className={css.steps} aria-label={w.plan.title}>
              {plan.steps.map((s) => (
                <StepCard
                  key={s.id} step={s} open={open.has(s.id)} toggle={toggle} streaming={plan.state === "streaming"}
                  status={statuses.get(s.id)} writing={reviewing.writing?.step === s.id ? reviewing.writing.kind : undefined} tools={by} handOver={may ? handOver : undefined}
                />
              ))}
            </ol>
            {by?.mayEdit && plan.steps.length > 0 && <div className={css.add}><Button look="plain" onClick={() => by.edit(undefined)}><Plus size={16} aria-hidden="true" />{w.review.edit.add}</Button></div>}
          </>
        )}
      </div>
      {plan && <ReviewSheets plan={plan} reviewing={reviewing} />}
      <HandOverSheet target={target} onClose={() => setTarget(undefined)} />
      {fresh.count > 0 && (
        <div className={css.pillPlace}><Button look="primary" className={css.pill} onClick={fresh.show}>{w.plan.newSteps(fresh.count)}</Button></div>
      )}
    </>
  );
}

/** Approved, and nothing has come back yet. */
function Sending({ note }: { note: string }) {
  return (
    <div className={css.inset} role="status">
      <Progress label={w.plan.waitingFirst} />
      <p className="quiet" style={{ paddingTop: 8 }}><Seen text={note || w.plan.waitingFirst} /></p>
    </div>
  );
}

/** Moves the focus to the next or previous step. */
function stepFocus(list: HTMLElement | null, by: number): void {
  const heads = [...(list?.querySelectorAll<HTMLElement>("[data-step]") ?? [])];
  const here = document.activeElement?.closest("[data-card]")?.querySelector<HTMLElement>("[data-step]") ?? null;
  const at = here ? heads.indexOf(here) : -1;
  const next = heads[Math.min(heads.length - 1, Math.max(0, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}
