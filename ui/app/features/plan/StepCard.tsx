import { ChevronRight, CircleAlert, Info, LoaderCircle, TriangleAlert } from "lucide-react";
import { memo } from "react";
import type { Finding, Severity, Step } from "#client/api.gen.ts";
import { cx, Pill } from "#kit/core.tsx";
import { Path } from "#kit/values.tsx";
import { w } from "../../words.ts";
import css from "./plan.module.css";
import { KindMark } from "./OperationView.tsx";
import { StepBody } from "./StepBody.tsx";

interface StepCardProps {
  step: Step;
  open: boolean;
  streaming: boolean;
  toggle(number: number): void;
  handOver?: ((step?: number) => void) | undefined;
}

const ORDER: Severity[] = ["error", "warning", "info"];
export const ICONS = { error: CircleAlert, warning: TriangleAlert, info: Info };

export function worst(findings: Finding[]): Severity | undefined {
  return ORDER.find((severity) => findings.some((f) => f.severity === severity));
}

/** One step: a line when closed, everything when open. */
export const StepCard = memo(function StepCard({ step, open, streaming, toggle, handOver }: StepCardProps) {
  const kinds = [...new Set(step.operations.map((o) => o.kind))];
  const first = step.operations[0];
  const severity = worst(step.findings);
  const body = `step-${step.number}`;
  return (
    <li className={cx(css.card, open && css.openCard)} data-card="">
      <button type="button" className={css.cardHead} data-step="" aria-expanded={open} aria-controls={open ? body : undefined} onClick={() => toggle(step.number)}>
        <ChevronRight size={14} aria-hidden="true" className={css.chevron} />
        <span className={css.number}>{step.number}</span>
        <span className={css.stepTitle}>{step.title}</span>
        <span className={css.where}>
          {first && <Path path={first.path} />}
          {step.operations.length > 1 && <span className={css.more}>+{step.operations.length - 1}</span>}
        </span>
        <span className={css.marks}>
          {kinds.map((kind) => <KindMark key={kind} kind={kind} />)}
          {severity && <FindingMark severity={severity} n={step.findings.length} />}
          {!step.complete && (streaming ? <LoaderCircle size={14} className={css.spin} aria-label={w.plan.notComplete} /> : <Pill tone="warning">{w.plan.states.cut}</Pill>)}
        </span>
      </button>
      {open && <StepBody step={step} id={body} handOver={streaming || !step.complete ? undefined : handOver} />}
    </li>
  );
});

function FindingMark({ severity, n }: { severity: Severity; n: number }) {
  const Icon = ICONS[severity];
  const tone = severity === "error" ? "error" : severity === "warning" ? "warning" : "plain";
  return <Pill tone={tone}><Icon size={12} aria-hidden="true" />{w.plan.severity[severity]}{n > 1 && ` ${n}`}</Pill>;
}
