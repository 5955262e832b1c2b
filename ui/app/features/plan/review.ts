import type { Decision, Finding, Job, Plan, Step, StepContent } from "#client/api.gen.ts";
import { ApiError, type Caller } from "#client/rpc.ts";
import { same } from "#kit/same.ts";
import { asApiError } from "../../engine.tsx";
import { w } from "../../words.ts";
import { acceptable, errorsOf, held, sameWork, undecided } from "./gate.ts";

/** What a review needs of the world. */
export interface ReviewWorld {
  call: Caller["call"];
  /** The plan as it is known now. */
  plan(): Plan | undefined;
  put(plan: Plan): void;
  refresh(): Promise<void>;
  /** Says what was done to who cannot see it. */
  say(text: string): void;
  /** Says what was done, with a way back to the version before. */
  made(text: string, before: Plan, after: Plan): void;
  /** Says what was decided about several steps, with a way back. */
  decided(text: string, undo: () => void): void;
  /** Called where a model is asked: what it returns leads to where the person answers what the job asks. */
  asking(): (job: Job) => Promise<void>;
}

/** How something that was asked for a step is going. */
export interface Status {
  busy?: boolean;
  error?: ApiError;
}

/** The key of what is about the whole plan. */
export const WHOLE = "";

/** The key of what is about the step that is edited. */
export const EDITED = "edited";

export type Statuses = ReadonlyMap<string, Status>;

/** The step as it is now, if it says what the person saw. */
function asSeen(now: Step | undefined, seen: Step): Step {
  if (!now) throw gone();
  if (!sameWork(now, seen)) throw new ApiError("conflict", "plan_changed", w.review.trouble.changed(now.number));
  return now;
}

const gone = () => new ApiError("not_found", "no_step", w.review.trouble.gone);

/**
 * What a person does with a plan, one after the other. Each names the version that is current when it is sent; what a
 * person saw of the step must still be what it says then, else nothing is done.
 */
export class Review {
  private statuses: Statuses = new Map();
  private readonly watchers = new Set<() => void>();
  private readonly pending = new Set<string>();
  /** What was wanted last of a step, until it was asked and answered. */
  private readonly wants = new Map<string, { what: Decision | "override" }>();
  private wanted = 0;
  private line: Promise<void> = Promise.resolve();

  constructor(private readonly world: ReviewWorld) {}

  watch = (notify: () => void): (() => void) => {
    this.watchers.add(notify);
    return () => void this.watchers.delete(notify);
  };

  snapshot = (): Statuses => this.statuses;

  dismiss = (step: string): void => this.set(step, undefined);

  decide(seen: Step, decision: Decision): void {
    const known = this.world.plan()?.steps.find((s) => s.id === seen.id) ?? seen;
    if (known.decision === decision && !this.wants.has(seen.id)) return;
    const say = (now: Step) => this.world.say(held(now) === "errors" ? w.review.saidHeld(now.number) : w.review.said(now.number, w.review.decided[decision]));
    this.want(seen.id, decision, async (plan) => {
      const step = asSeen(plan.steps.find((s) => s.id === seen.id), seen);
      // What is accepted already is not accepted again, which would take an override back.
      if (step.decision === decision) {
        say(step);
        return undefined;
      }
      const after = await this.world.call("plans.decide", { plan: plan.id, version: plan.version, steps: [step.id], decision, override_errors: false });
      say(after.steps.find((s) => s.id === step.id) ?? step);
      return after;
    });
  }

  /** Accepts a step despite the errors that the person was shown, and no others. */
  override(seen: Step): void {
    this.want(seen.id, "override", async (plan) => {
      const step = asSeen(plan.steps.find((s) => s.id === seen.id), seen);
      if (!same(errorsOf(step).map(named), errorsOf(seen).map(named))) throw new ApiError("conflict", "finding_changed", w.review.override.changed);
      const after = await this.world.call("plans.decide", { plan: plan.id, version: plan.version, steps: [step.id], decision: "accepted", override_errors: true });
      this.world.say(w.review.saidDespite(step.number));
      return after;
    });
  }

  /** Accepts the steps that are open; errors of none of them are overridden by that. */
  acceptAll(seen: Plan): void {
    void this.act(WHOLE, "accept all", async (plan) => {
      const known = new Map(plan.steps.map((s) => [s.id, s]));
      const steps = acceptable(seen).map((step) => asSeen(known.get(step.id), step)).filter((step) => step.decision === "open");
      if (steps.length === 0) return plan;
      const ids = steps.map((s) => s.id);
      const after = await this.world.call("plans.decide", { plan: plan.id, version: plan.version, steps: ids, decision: "accepted", override_errors: false });
      const about = new Set(ids);
      const accepted = after.steps.filter((s) => about.has(s.id));
      this.world.decided(w.review.acceptedAll(ids.length, accepted.filter((s) => held(s) === "errors").length), () => this.reopen(accepted));
      return after;
    });
  }

  /** Opens steps again that were accepted in one go, but for those that were changed or decided about since. */
  private reopen(accepted: Step[]): void {
    void this.act(WHOLE, "reopen", async (plan) => {
      const known = new Map(plan.steps.map((s) => [s.id, s]));
      const ids = accepted.filter((s) => {
        const now = known.get(s.id);
        return now?.decision === "accepted" && now.overridden === s.overridden && sameWork(now, s);
      }).map((s) => s.id);
      if (ids.length === 0) {
        this.world.say(w.review.reopenedNone);
        return undefined;
      }
      const after = await this.world.call("plans.decide", { plan: plan.id, version: plan.version, steps: ids, decision: "open", override_errors: false });
      this.world.say(w.review.reopened(ids.length));
      return after;
    });
  }

  /** Carries out the repair of a finding, as a new version. */
  repair(seen: Step, at: number): Promise<boolean> {
    const finding = seen.findings[at];
    if (!finding?.repair) return Promise.resolve(false);
    return this.act(seen.id, "repair", async (plan) => {
      const step = asSeen(plan.steps.find((s) => s.id === seen.id), seen);
      const after = await this.world.call("plans.repair", {
        plan: plan.id, version: plan.version, step: step.id, finding: at, code: finding.code,
        ...(finding.operation === undefined ? {} : { operation: finding.operation }),
      });
      const now = after.steps.find((s) => s.id === step.id) ?? step;
      this.world.made(w.review.repaired(now.number, now.findings.length), plan, after);
      return after;
    });
  }

  /** Says something about a step, whatever became of it meanwhile. */
  comment(step: string, text: string): Promise<boolean> {
    return this.act(step, "comment", async (plan) => {
      const after = await this.world.call("plans.comment", { plan: plan.id, step, text });
      this.world.say(w.review.commented);
      return after;
    });
  }

  /** Stores a step as it was typed, on top of the version that was shown; a new one without `step`. Tells what it is once it is stored. */
  async edit(version: number, step: string | undefined, content: StepContent, position: number | undefined): Promise<{ step: Step; plan: Plan } | undefined> {
    let stored: { step: Step; plan: Plan } | undefined;
    const done = await this.act(EDITED, "edit", async (plan) => {
      const after = await this.world.call("plans.edit_step", {
        plan: plan.id, version, content, ...(step === undefined ? {} : { step }), ...(position === undefined ? {} : { position }),
      });
      const known = new Set(plan.steps.map((s) => s.id));
      const now = after.steps.find((s) => (step === undefined ? !known.has(s.id) : s.id === step));
      stored = now && { step: now, plan: after };
      this.world.made(step === undefined ? w.review.edit.added(now?.number ?? 0) : w.review.edit.stored(now?.number ?? 0), plan, after);
      return after;
    });
    return done ? stored : undefined;
  }

  /** Takes a step out of the plan. */
  remove(seen: Step): Promise<boolean> {
    return this.act(EDITED, "remove", async (plan) => {
      const step = asSeen(plan.steps.find((s) => s.id === seen.id), seen);
      const after = await this.world.call("plans.edit_step", { plan: plan.id, version: plan.version, step: step.id });
      this.world.made(w.review.edit.removed(step.number), plan, after);
      return after;
    });
  }

  /** Has a model change a step, once the person has approved what is sent. */
  ask(seen: Step, wish: string, model: string | undefined): Promise<boolean> {
    const asked = this.world.asking();
    return this.act(seen.id, "ask", async (plan) => {
      const step = asSeen(plan.steps.find((s) => s.id === seen.id), seen);
      await asked(await this.world.call("plans.ask_step", { plan: plan.id, version: plan.version, step: step.id, wish, ...(model === undefined ? {} : { model }) }));
    });
  }

  /** Has a model write the rest of a plan that was cut, once the person has approved what is sent. It becomes a plan of its own. */
  complete(model: string | undefined): Promise<boolean> {
    const asked = this.world.asking();
    return this.act(WHOLE, "complete", async (plan) => {
      await asked(await this.world.call("plans.complete", { plan: plan.id, ...(model === undefined ? {} : { model }) }));
    });
  }

  /** Takes up an earlier version again; `from` is the version that the person wants to leave. */
  revert(to: number, from: number): Promise<boolean> {
    return this.act(WHOLE, `revert ${to}`, async (plan) => {
      if (plan.version !== from) throw new ApiError("conflict", "plan_changed", w.review.trouble.notUndone(plan.version));
      const after = await this.world.call("plans.revert", { plan: plan.id, version: from, to });
      this.world.made(w.review.reverted(to), plan, after);
      return after;
    });
  }

  /** Of what is wanted of a step in quick succession the last holds: what is not asked yet when another comes is not asked any more. */
  private want(step: string, what: Decision | "override", work: (plan: Plan) => Promise<Plan | void>): void {
    if (this.wants.get(step)?.what === what) return;
    const mine = { what };
    this.wants.set(step, mine);
    const isLast = () => this.wants.get(step) === mine;
    void this.act(step, `want ${++this.wanted}`, async (plan) => (isLast() ? work(plan) : undefined)).finally(() => isLast() && this.wants.delete(step));
  }

  /** Runs after what was asked before. The same for the same step is not asked twice while the first is under way. Tells whether it was done. */
  private act(key: string, kind: string, work: (plan: Plan) => Promise<Plan | void>): Promise<boolean> {
    const mark = `${key} ${kind}`;
    if (this.pending.has(mark)) return Promise.resolve(false);
    this.pending.add(mark);
    this.set(key, { busy: true });
    const turn = this.line.then(() => this.turn(key, work)).finally(() => this.pending.delete(mark));
    this.line = turn.then(() => {});
    return turn;
  }

  private async turn(key: string, work: (plan: Plan) => Promise<Plan | void>): Promise<boolean> {
    // What was asked of it before may just have ended.
    this.set(key, { busy: true });
    try {
      const plan = this.world.plan();
      if (!plan) throw gone();
      const after = await work(plan);
      if (after) this.world.put(after);
      this.set(key, undefined);
      return true;
    } catch (error) {
      const shown = asApiError(error);
      this.set(key, { error: shown });
      // Somebody else was faster: what is decided about next must be what there is.
      if (shown.code === "conflict" || shown.code === "not_found") await this.world.refresh();
      return false;
    }
  }

  private set(key: string, status: Status | undefined): void {
    const next = new Map(this.statuses);
    if (status) next.set(key, status);
    else next.delete(key);
    this.statuses = next;
    for (const notify of [...this.watchers]) notify();
  }
}

const named = ({ code, message, operation }: Finding) => ({ code, message, operation });

/** What to say of a change that has taken decisions along. */
export function withUndecided(text: string, before: Plan, after: Plan): string {
  const open = undecided(before, after);
  return open.length > 0 ? `${text} ${w.review.undecided(open)}` : text;
}
