import { Check, CircleCheck, CircleDashed, CirclePause, CircleX, RotateCcw, ShieldAlert, X } from "lucide-react";
import type { Step } from "#client/api.gen.ts";
import { Button, cx } from "#kit/core.tsx";
import { w } from "../../words.ts";
import { held, markOf, overridable, type Mark } from "./gate.ts";
import css from "./review.module.css";
import { accept, type StepTools } from "./useReview.ts";

const ICONS = { open: CircleDashed, accepted: CircleCheck, rejected: CircleX, held: CirclePause, despite: ShieldAlert } satisfies Record<Mark, unknown>;

/** What was decided about a step: a shape, a colour and a word, always in the same place. */
export function DecisionMark({ step }: { step: Step }) {
  const mark = markOf(step);
  const Icon = ICONS[mark];
  return (
    <span className={css.mark} data-mark={mark} title={w.review.marksLong[mark]}>
      <Icon size={14} aria-hidden="true" />
      {w.review.marks[mark]}
    </span>
  );
}

/** The decision about a step. All three stand there always, so that nothing moves when one is taken. */
export function Decide({ step, tools, busy }: { step: Step; tools: StepTools; busy: boolean }) {
  const { decision } = step;
  const why = held(step, true);
  return (
    <>
      <span className={css.choices} role="group" aria-label={w.review.label} aria-busy={busy || undefined}>
        <Button className={cx(css.choice, css.yes)} keys="a" aria-pressed={decision === "accepted"} reason={step.complete ? undefined : w.review.incomplete} onClick={() => accept(step, tools)}>
          <Check size={14} aria-hidden="true" />{w.review.accept}
        </Button>
        <Button className={cx(css.choice, css.no)} keys="x" aria-pressed={decision === "rejected"} onClick={() => tools.review.decide(step, "rejected")}>
          <X size={14} aria-hidden="true" />{w.review.reject}
        </Button>
        <Button look="plain" keys="o" reason={decision === "open" ? w.review.alreadyOpen : undefined} onClick={() => tools.review.decide(step, "open")}>
          <RotateCcw size={14} aria-hidden="true" />{w.review.reopen}
        </Button>
      </span>
      {overridable(step) && why === "errors" && <Button look="plain" onClick={() => tools.override(step)}><ShieldAlert size={14} aria-hidden="true" />{w.review.override.button}</Button>}
    </>
  );
}
