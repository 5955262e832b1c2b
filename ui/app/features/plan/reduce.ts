import type { Plan, PlanEvent, Step } from "#client/api.gen.ts";
import { same } from "#kit/same.ts";

/** A plan while it is written. */
export interface LivePlan {
  plan: Plan | undefined;
  characters: number;
}

/** Puts a step in its place: new at its number, or over the one it has grown from. */
export function placeStep(steps: Step[], step: Step): Step[] {
  const at = steps.findIndex((s) => s.number >= step.number);
  if (at < 0) return [...steps, step];
  const there = steps[at]?.number === step.number;
  return [...steps.slice(0, at), step, ...steps.slice(there ? at + 1 : at)];
}

const countOf = (steps: Step[], severity: "error" | "warning"): number =>
  steps.reduce((n, s) => n + s.findings.filter((f) => f.severity === severity).length, 0);

export function reducePlan(live: LivePlan, event: PlanEvent): LivePlan {
  switch (event.kind) {
    case "plan":
      return { ...live, plan: event.plan };
    case "progress":
      return { ...live, characters: event.characters };
    case "step": {
      if (!live.plan) return live;
      const steps = placeStep(live.plan.steps, event.step);
      const plan = {
        ...live.plan,
        steps,
        step_count: Math.max(live.plan.step_count, steps.length),
        errors: countOf(steps, "error"),
        warnings: countOf(steps, "warning"),
      };
      return { ...live, plan };
    }
  }
}

/** A plan that was read again, with the steps of before where they say the same: their cards are not drawn anew. */
export function keepSteps(old: Plan | undefined, next: Plan | undefined): Plan | undefined {
  if (!old || !next || old === next || old.id !== next.id) return next;
  const before = new Map(old.steps.map((s) => [s.id, s]));
  const steps = next.steps.map((step) => {
    const known = before.get(step.id);
    return known && same(known, step) ? known : step;
  });
  return { ...next, steps };
}
