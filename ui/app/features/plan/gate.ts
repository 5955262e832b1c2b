import type { Finding, Plan, Step } from "#client/api.gen.ts";
import { same } from "#kit/same.ts";

/** What keeps a step from being handed over. */
export type Held = "incomplete" | "rejected" | "open" | "errors";

/** The findings that hold a step back until they are repaired or openly overridden. */
export const errorsOf = (step: Step): Finding[] => step.findings.filter((f) => f.severity === "error");

/** Why the engine would hold a step back; undefined where it would hand it over. `all` takes what nobody decided about. */
export function held(step: Step, all = false): Held | undefined {
  if (!step.complete) return "incomplete";
  if (step.decision === "rejected") return "rejected";
  if (step.decision === "open" && !all) return "open";
  return errorsOf(step).length > 0 && !step.overridden ? "errors" : undefined;
}

export interface Tally {
  total: number;
  accepted: number;
  /** Accepted, and nothing holds them back. */
  ready: number;
  held: Record<Held, number>;
}

export function tally(steps: Step[]): Tally {
  const out: Tally = { total: steps.length, accepted: 0, ready: 0, held: { incomplete: 0, rejected: 0, open: 0, errors: 0 } };
  for (const step of steps) {
    if (step.decision === "accepted") out.accepted += 1;
    const why = held(step);
    if (why === undefined) out.ready += 1;
    else out.held[why] += 1;
  }
  return out;
}

/** How a decision looks on a step: accepted is not one thing, where errors were found. */
export type Mark = "open" | "accepted" | "rejected" | "held" | "despite";

export function markOf(step: Step): Mark {
  if (step.decision !== "accepted") return step.decision;
  if (held(step) !== undefined) return "held";
  return step.overridden && errorsOf(step).length > 0 ? "despite" : "accepted";
}

/** Nothing of a plan that is still written can be changed: the engine refuses it. */
export const ended = (plan: Plan): boolean => plan.state !== "streaming";

/** What "accept all open steps" is about. A step that has not arrived whole is not accepted by the way. */
export const acceptable = (plan: Plan): Step[] => (ended(plan) ? plan.steps.filter((s) => s.decision === "open" && s.complete) : []);

/** Whether errors of a step may be overridden now. */
export const overridable = (step: Step): boolean =>
  step.complete && step.decision !== "rejected" && errorsOf(step).length > 0 && !(step.decision === "accepted" && step.overridden);

const work = ({ title, why, confidence, operations, commands, checks, complete }: Step) => ({ title, why, confidence, operations, commands, checks, complete });

/** Whether two forms of a step are the same work, as the engine compares them: what was decided about one holds for the other. */
export const sameWork = (a: Step, b: Step): boolean => same(work(a), work(b));

/** The steps about which something was decided that is open now, because they were changed. */
export function undecided(before: Plan, after: Plan): number[] {
  const decided = new Set(before.steps.filter((s) => s.decision !== "open").map((s) => s.id));
  return after.steps.filter((s) => s.decision === "open" && decided.has(s.id)).map((s) => s.number);
}
