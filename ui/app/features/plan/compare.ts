import type { Comparison, Disagreement, Plan, Step, StepSource } from "#client/api.gen.ts";

/** The engine puts two to five plans side by side. */
export const MOST_PLANS = 5;

export const keyOf = ({ plan, step }: StepSource): string => `${plan} ${step}`;

/** The plans that can be put side by side: those that are not being written, and have steps. */
export const comparable = (plans: Plan[]): Plan[] => plans.filter((p) => p.state !== "streaming" && p.step_count > 0);

/** By which letter a plan is called while it is beside others. */
export const letterOf = (comparison: Comparison, plan: string): string => String.fromCharCode(65 + Math.max(0, comparison.plans.findIndex((p) => p.id === plan)));

/** What is ticked at first: everything that any plan does, once; where several do the same, the way of the first. */
export function preselected(comparison: Comparison): Set<string> {
  const rank = new Map(comparison.plans.map((p, i) => [p.id, i]));
  const first = (steps: StepSource[]) => steps.toSorted((a, b) => (rank.get(a.plan) ?? 0) - (rank.get(b.plan) ?? 0))[0];
  return new Set(comparison.rows.map((row) => first(row.steps)).filter((s) => s !== undefined).map(keyOf));
}

/** The ticked steps in the order in which they are shown. */
export const taken = (comparison: Comparison, ticked: ReadonlySet<string>): StepSource[] =>
  comparison.rows.flatMap((row) => row.steps.filter((s) => ticked.has(keyOf(s))));

/** From how many plans steps are taken: of one alone no plan is made. */
export const plansIn = (steps: StepSource[]): number => new Set(steps.map((s) => s.plan)).size;

/** A step that stands in a comparison. */
export const stepIn = (comparison: Comparison, { plan, step }: StepSource): Step | undefined =>
  comparison.plans.find((p) => p.id === plan)?.steps.find((s) => s.number === step);

/** In which plans contradict each other about the steps of a row. */
export function disputed(comparison: Comparison, row: number): Disagreement[] {
  const here = new Set(comparison.rows[row]?.steps.map(keyOf));
  return comparison.disagreements.filter((d) => d.steps.some((s) => here.has(keyOf(s))));
}
