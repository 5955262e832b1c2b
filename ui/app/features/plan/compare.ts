import type { ComparedRow, Comparison, Disagreement, Plan, Step, StepSource } from "#client/api.gen.ts";

/** The engine puts two to five plans side by side. */
export const MOST_PLANS = 5;

/** What is ticked: a step by its own id, which stays when others add, move or remove steps of its plan. */
const keyOf = (plan: string, id: string): string => `${plan} ${id}`;
/** Where a step stands in the plan as it is shown. */
const placeOf = ({ plan, step }: StepSource): string => `${plan} ${step}`;

/** The plans that can be put side by side: those that are not being written, and have steps. */
export const comparable = (plans: Plan[]): Plan[] => plans.filter((p) => p.state !== "streaming" && p.step_count > 0);

/** By which letter a plan is called while it is beside others. */
export const letterOf = (comparison: Comparison, plan: string): string => String.fromCharCode(65 + Math.max(0, comparison.plans.findIndex((p) => p.id === plan)));

/** What is ticked at first: everything that any plan does, once; where several do the same, the way of the first. */
export function preselected(comparison: Comparison, index: Indexed): Set<string> {
  const rank = new Map(comparison.plans.map((p, i) => [p.id, i]));
  const first = (steps: StepSource[]) => steps.toSorted((a, b) => (rank.get(a.plan) ?? 0) - (rank.get(b.plan) ?? 0))[0];
  return new Set(comparison.rows.map((row) => first(row.steps)).filter((s) => s !== undefined).map(index.key));
}

/** The ticked steps in the order in which they are shown, by the numbers that they have there. */
export const taken = (comparison: Comparison, index: Indexed, ticked: ReadonlySet<string>): StepSource[] =>
  comparison.rows.flatMap((row) => row.steps.filter((s) => ticked.has(index.key(s))));

/** From how many plans steps are taken: of one alone no plan is made. */
export const plansIn = (steps: StepSource[]): number => new Set(steps.map((s) => s.plan)).size;

/** What a comparison says of a step or a row, without looking through all of it. */
export interface Indexed {
  /** A step that stands in the comparison. */
  step(source: StepSource): Step | undefined;
  /** By which name it is ticked. */
  key(source: StepSource): string;
  /** In which plans contradict each other about the steps of a row. */
  disputed(row: ComparedRow): Disagreement[];
}

/** Reads a comparison once, so that showing its rows costs as much as there are rows. */
export function indexed({ plans, disagreements }: Comparison): Indexed {
  const steps = new Map<string, Step>();
  for (const plan of plans) for (const step of plan.steps) steps.set(placeOf({ plan: plan.id, step: step.number }), step);
  // By step, the places of its disagreements: a row shows them in the order in which the engine tells them.
  const about = new Map<string, number[]>();
  disagreements.forEach((d, at) => {
    for (const source of d.steps) {
      const known = about.get(placeOf(source));
      if (known) known.push(at);
      else about.set(placeOf(source), [at]);
    }
  });
  return {
    step: (source) => steps.get(placeOf(source)),
    key: (source) => keyOf(source.plan, steps.get(placeOf(source))?.id ?? `#${source.step}`),
    disputed: (row) => {
      const at = new Set(row.steps.flatMap((source) => about.get(placeOf(source)) ?? []));
      return [...at].sort((a, b) => a - b).map((i) => disagreements[i] as Disagreement);
    },
  };
}
