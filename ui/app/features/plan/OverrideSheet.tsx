import type { Step } from "#client/api.gen.ts";
import { Actions, Button } from "#kit/core.tsx";
import { Sheet } from "#kit/overlays.tsx";
import { Path } from "#kit/values.tsx";
import { w } from "../../words.ts";
import { FindingView } from "./FindingView.tsx";
import { errorsOf, overridable } from "./gate.ts";
import css from "./review.module.css";

interface OverrideSheetProps {
  step: Step | undefined;
  onClose(): void;
  override(step: Step): void;
}

/** Asks whether a step is handed over despite its errors, and names them. */
export function OverrideSheet({ step, onClose, override }: OverrideSheetProps) {
  if (!step || !overridable(step)) return null;
  const errors = errorsOf(step);
  return (
    <Sheet title={w.review.override.title(step.number)} close={w.close} open onClose={onClose}>
      <p>{w.review.override.lead(errors.length)}</p>
      <ul className={css.named}>
        {errors.map((f) => {
          const path = f.operation === undefined ? undefined : step.operations[f.operation]?.path;
          return <li key={`${f.code} ${f.operation} ${f.message}`}>{path !== undefined && <Path path={path} wrap />}<FindingView finding={f} /></li>;
        })}
      </ul>
      <p className="quiet">{w.review.override.text}</p>
      <Actions>
        <Button onClick={() => { onClose(); override(step); }}>{w.review.override.confirm}</Button>
        <Button look="plain" onClick={onClose}>{w.review.override.keep}</Button>
      </Actions>
    </Sheet>
  );
}
