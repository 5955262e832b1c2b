import type { Finding, Step } from "#client/api.gen.ts";
import { Send } from "lucide-react";
import { Button } from "#kit/core.tsx";
import { CopyButton } from "#kit/states.tsx";
import { Names } from "#kit/values.tsx";
import { w } from "../../words.ts";
import { OperationView } from "./OperationView.tsx";
import css from "./plan.module.css";
import { ICONS } from "./StepCard.tsx";

/** Everything that a step says. Text of a model is shown as text, never as markup. */
export function StepBody({ step, id, handOver }: { step: Step; id: string; handOver?: ((step?: number) => void) | undefined }) {
  const loose = step.findings.filter((f) => f.operation === undefined || step.operations[f.operation] === undefined);
  return (
    <div className={css.body} id={id}>
      {(step.why || step.confidence || step.depends.length > 0) && (
        <p className={css.why}>
          {step.why}
          <span className={css.meta}>
            {[step.depends.length > 0 ? w.plan.depends(step.depends) : "", step.confidence ? w.plan.confidence(step.confidence) : ""].filter(Boolean).join(" · ")}
          </span>
        </p>
      )}
      {loose.map((f) => <FindingView key={`${f.code} ${f.message}`} finding={f} />)}
      {step.operations.map((operation, i) => (
        <div key={`${operation.kind} ${operation.path} ${i}`} className={css.operationGroup}>
          {step.findings.filter((f) => f.operation === i).map((f) => <FindingView key={`${f.code} ${f.message}`} finding={f} />)}
          <OperationView operation={operation} />
        </div>
      ))}
      {step.commands.length > 0 && (
        <section>
          <h4>{w.plan.commands}</h4>
          <ul className={css.commands}>
            {step.commands.map((command) => (
              <li key={command}><code>{command}</code><CopyButton text={command} words={w.error} /></li>
            ))}
          </ul>
        </section>
      )}
      {step.checks.length > 0 && (
        <section>
          <h4>{w.plan.checks}</h4>
          <ul className={css.checks}>{step.checks.map((check) => <li key={check}>{check}</li>)}</ul>
        </section>
      )}
      {handOver && <div><Button onClick={() => handOver(step.number)}><Send size={14} aria-hidden="true" />{w.terminals.handOver.step(step.number)}</Button></div>}
    </div>
  );
}

function FindingView({ finding: f }: { finding: Finding }) {
  const Icon = ICONS[f.severity];
  return (
    <p className={css.finding} data-severity={f.severity}>
      <Icon size={14} aria-hidden="true" />
      <span>
        <b>{w.plan.severity[f.severity]}:</b> <Names text={f.message} />
        {f.suggestion && !f.message.includes(f.suggestion) && <> {w.plan.suggestion} <code>{f.suggestion}</code></>}
      </span>
    </p>
  );
}
