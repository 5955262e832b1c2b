import { MessageSquarePlus, PenLine, Pencil, Send, Wrench } from "lucide-react";
import type { Finding, Step } from "#client/api.gen.ts";
import { Button } from "#kit/core.tsx";
import { CopyButton } from "#kit/states.tsx";
import { Names, Seen } from "#kit/values.tsx";
import { w } from "../../words.ts";
import { repairText } from "../../words.review.ts";
import { AskField } from "./AskField.tsx";
import { CommentField, Comments } from "./Comments.tsx";
import { Decide } from "./Decide.tsx";
import { FindingView } from "./FindingView.tsx";
import { held } from "./gate.ts";
import { OperationView } from "./OperationView.tsx";
import css from "./plan.module.css";
import review from "./review.module.css";
import { repair, type StepTools, type WritingKind } from "./useReview.ts";

interface StepBodyProps {
  step: Step;
  id: string;
  busy: boolean;
  /** What is being written about it. */
  writing?: WritingKind | undefined;
  /** Absent while the plan is written. */
  tools?: StepTools | undefined;
  handOver?: ((step?: string) => void) | undefined;
}

/** Everything that a step says. Text of a model is shown as text, never as markup. */
export function StepBody({ step, id, busy, writing, tools, handOver }: StepBodyProps) {
  const back = held(step, true);
  const loose = step.findings.filter((f) => f.operation === undefined || step.operations[f.operation] === undefined);
  return (
    <div className={css.body} id={id}>
      {(step.why || step.confidence || step.depends.length > 0 || step.source) && (
        <p className={css.why}>
          <Seen text={step.why} />
          <span className={css.meta}>
            <Seen text={[step.depends.length > 0 ? w.plan.depends(step.depends) : "", step.confidence ? w.plan.confidence(step.confidence) : "", step.source ? w.review.compare.from(step.source.step) : ""].filter(Boolean).join(" · ")} />
          </span>
        </p>
      )}
      {loose.map((f) => <Found key={`${f.code} ${f.message}`} finding={f} step={step} busy={busy} tools={tools} />)}
      {step.operations.map((operation, i) => (
        <div key={`${operation.kind} ${operation.path} ${i}`} className={css.operationGroup}>
          {step.findings.filter((f) => f.operation === i).map((f) => <Found key={`${f.code} ${f.message}`} finding={f} step={step} busy={busy} tools={tools} />)}
          <OperationView operation={operation} />
        </div>
      ))}
      {step.commands.length > 0 && (
        <section>
          <h4>{w.plan.commands}</h4>
          <ul className={css.commands}>
            {step.commands.map((command) => (
              <li key={command}><code><Seen text={command} /></code><CopyButton text={command} words={w.error} /></li>
            ))}
          </ul>
        </section>
      )}
      {step.checks.length > 0 && (
        <section>
          <h4>{w.plan.checks}</h4>
          <ul className={css.checks}>{step.checks.map((check) => <li key={check}><Seen text={check} /></li>)}</ul>
        </section>
      )}
      <Comments comments={step.comments} />
      {writing === "comment" && tools && <CommentField step={step} tools={tools} />}
      {writing === "ask" && tools && <AskField step={step} tools={tools} />}
      {(handOver || tools?.mayEdit || tools?.mayRun) && (
        <div className={review.tools}>
          {tools?.mayEdit && <Decide step={step} tools={tools} busy={busy} />}
          {tools?.mayEdit && (
            <Button look="plain" keys="c" aria-expanded={writing === "comment"} onClick={() => tools.write(step.id, "comment")}><MessageSquarePlus size={14} aria-hidden="true" />{w.review.comment}</Button>
          )}
          {tools?.mayEdit && <Button look="plain" keys="e" onClick={() => tools.edit(step.id)}><Pencil size={14} aria-hidden="true" />{w.review.edit.button}</Button>}
          {tools?.mayRun && <Button look="plain" aria-expanded={writing === "ask"} onClick={() => tools.write(step.id, "ask")}><PenLine size={14} aria-hidden="true" />{w.review.ask.button}</Button>}
          {handOver && (
            <Button look="plain" reason={back && w.review.gate.why[back]} onClick={() => handOver(step.id)}><Send size={14} aria-hidden="true" />{w.terminals.handOver.step(step.number)}</Button>
          )}
        </div>
      )}
    </div>
  );
}


interface FoundProps {
  finding: Finding;
  step: Step;
  busy: boolean;
  tools: StepTools | undefined;
}

/** A finding, and the fix that the check offers for it. */
function Found({ finding, step, busy, tools }: FoundProps) {
  const offered = tools?.mayEdit ? finding.repair : undefined;
  const first = step.findings.find((f) => f.repair !== undefined) === finding;
  return (
    <FindingView finding={finding}>
      {offered && tools && (
        <span className={review.fix}>
          <span><Names text={repairText(offered)} /></span>
          <Button keys={first ? "f" : undefined} aria-busy={busy || undefined} onClick={() => repair(step, step.findings.indexOf(finding), tools)}><Wrench size={14} aria-hidden="true" />{w.review.repair}</Button>
        </span>
      )}
    </FindingView>
  );
}
