import type { Plan, Step } from "#client/api.gen.ts";
import type { Prefs } from "../../prefs.ts";
import { formOf, numbered, onto, touched, type EditDraft, type Stored, type StepForm } from "./edit.ts";
import { LAST, numbersOf, ref } from "./refs.ts";
import type { Review } from "./review.ts";

/** Under which name is kept what is typed about a step, or about one that is to be added. */
export const draftKey = (plan: string, step: string | undefined): string => `review.edit.${plan}.${step ?? "new"}`;

export interface StoredDraft {
  step: string;
  /** Whether more was typed while it was stored, which is kept as a change of this step. */
  more: boolean;
}

/** What is stored: the draft of `step` in its form of now, as `content`. */
export interface Storing {
  plan: Plan;
  step: string | undefined;
  form: StepForm;
  content: Stored;
}

/** The form of a step that is in the plan by now: behind all steps there is no place for it any more, its last one is that of the last step. */
function ofKnown(form: StepForm, { steps }: Plan): StepForm {
  const last = steps.at(-1);
  return form.position === LAST && last ? { ...form, position: ref(last.id) } : form;
}

/** What a draft that was stored becomes where more was typed meanwhile: a change of what was stored. */
function rest(kept: EditDraft, sent: StepForm, { step, plan }: { step: Step; plan: Plan }): EditDraft {
  const around = { numbers: numbersOf(plan), own: step.id, last: (id: string) => kept.numbers?.[id] };
  const base = formOf(step, around.numbers);
  const form = ofKnown(onto({ base: sent, form: kept.form }, base).form, plan);
  return { base, form, numbers: numbered([base, form], around) };
}

/**
 * Stores what is typed, and forgets it. What was typed while it was stored is kept as a change of what was stored: of a
 * step that was added it is one of that step from then on, so that storing it again adds no second one. `becomes` is
 * told of that before the draft of the new step goes.
 */
export async function store(review: Review, prefs: Prefs, { plan, step, form, content }: Storing, becomes: (step: string) => void): Promise<StoredDraft | undefined> {
  const key = draftKey(plan.id, step);
  const forget = prefs.sending(key);
  const known = plan.steps.some((s) => s.id === step);
  const stored = await review.edit(plan.version, known ? step : undefined, content.content, content.position);
  if (!stored) return undefined;
  const made = stored.step.id;
  if (forget()) return { step: made, more: false };
  const kept = prefs.get<EditDraft | undefined>(key, undefined);
  const next = kept && rest(kept, form, stored);
  const more = next !== undefined && touched(next);
  if (more) prefs.set(draftKey(plan.id, made), next);
  if (more && made !== step) becomes(made);
  if (!more || made !== step) prefs.set(key, undefined);
  return { step: made, more };
}
