import type { Plan, Step } from "#client/api.gen.ts";

/** What is handed over: one step of a plan, by its id, or the whole of it. */
export interface HandOverTarget {
  plan: Plan;
  step?: string | undefined;
}

/** The step that is meant, as it is in the plan now; undefined where the whole plan is meant, or the step is gone. */
export const stepOf = (plan: Plan, id: string | undefined): Step | undefined => (id === undefined ? undefined : plan.steps.find((s) => s.id === id));

/** What the engine is asked to hand over of this version of a plan; undefined where the step is gone. */
export function asked(plan: Plan, id: string | undefined): { step?: number } | undefined {
  if (id === undefined) return {};
  const step = stepOf(plan, id);
  return step && { step: step.number };
}
