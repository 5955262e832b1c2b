import { ChevronRight, LoaderCircle, MessageSquare } from "lucide-react";
import { memo } from "react";
import type { Step } from "#client/api.gen.ts";
import { cx, Pill } from "#kit/core.tsx";
import { Path, Seen } from "#kit/values.tsx";
import { w } from "../../words.ts";
import { DecisionMark } from "./Decide.tsx";
import { FindingMark, worst } from "./FindingView.tsx";
import { KindMark } from "./OperationView.tsx";
import css from "./plan.module.css";
import type { Status } from "./review.ts";
import { StepBody } from "./StepBody.tsx";
import { StepTrouble } from "./StepTrouble.tsx";
import type { StepTools, WritingKind } from "./useReview.ts";

interface StepCardProps {
  step: Step;
  open: boolean;
  streaming: boolean;
  /** Stays the same function, as everything here does that is not about this step: the card is memoised. */
  toggle(id: string): void;
  status?: Status | undefined;
  writing?: WritingKind | undefined;
  /** Absent while the plan is written. */
  tools?: StepTools | undefined;
  handOver?: ((step?: string) => void) | undefined;
}

/** One step: a line when closed, everything when open. */
export const StepCard = memo(function StepCard({ step, open, streaming, toggle, status, writing, tools, handOver }: StepCardProps) {
  const kinds = [...new Set(step.operations.map((o) => o.kind))];
  const first = step.operations[0];
  const severity = worst(step.findings);
  const body = `step-${step.id}`;
  return (
    <li className={cx(css.card, open && css.openCard)} data-card={step.id}>
      <button type="button" className={css.cardHead} data-step="" aria-expanded={open} aria-controls={open ? body : undefined} onClick={() => toggle(step.id)}>
        <ChevronRight size={14} aria-hidden="true" className={css.chevron} />
        <span className={css.number}>{step.number}</span>
        <span className={css.stepTitle}><Seen text={step.title} /></span>
        <span className={css.where}>
          {first && <Path path={first.path} />}
          {step.operations.length > 1 && <span className={css.more}>+{step.operations.length - 1}</span>}
        </span>
        <span className={css.marks}>
          {step.comments.length > 0 && (
            <Pill title={w.review.commentsN(step.comments.length)}><MessageSquare size={12} aria-hidden="true" />{step.comments.length}<span className="sr"> {w.review.comments}</span></Pill>
          )}
          {kinds.map((kind) => <KindMark key={kind} kind={kind} />)}
          {severity && <FindingMark severity={severity} n={step.findings.length} />}
          {!step.complete && (streaming ? <LoaderCircle size={14} className={css.spin} aria-label={w.plan.notComplete} /> : <Pill tone="warning">{w.plan.states.cut}</Pill>)}
        </span>
        {!streaming && <DecisionMark step={step} />}
      </button>
      {open && <StepBody step={step} id={body} busy={status?.busy === true} writing={writing} tools={tools} handOver={streaming ? undefined : handOver} />}
      <StepTrouble error={status?.error} dismiss={() => tools?.review.dismiss(step.id)} />
    </li>
  );
});
