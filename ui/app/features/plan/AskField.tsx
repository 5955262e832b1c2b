import { useSyncExternalStore } from "react";
import type { Step } from "#client/api.gen.ts";
import { w } from "../../words.ts";
import { useModel } from "../account/useModel.ts";
import type { StepTools } from "./useReview.ts";
import { Writing } from "./Writing.tsx";

/** The engine counts bytes: at worst four a character. */
const MOST = 4096;

/** Asks a model to change one step. What would be sent is shown first. */
export function AskField({ step, tools }: { step: Step; tools: StepTools }) {
  const { review } = tools;
  const { models, model } = useModel();
  const busy = useSyncExternalStore(review.watch, review.snapshot).get(step.id)?.busy === true;
  const name = model ? `${model.name} ${w.models.at} ${model.provider}` : w.task.help.someone;
  return (
    <Writing
      draft={`review.ask.${tools.plan}.${step.id}`} label={w.review.ask.label(step.number)} hint={w.review.ask.hint(name)} button={w.review.ask.send} most={MOST} busy={busy}
      reason={models !== undefined && !model ? w.files.noModel : undefined}
      send={(text) => review.ask(step, text, model?.id)} close={() => tools.write(step.id, undefined)} taken={tools.stopWriting}
    />
  );
}
