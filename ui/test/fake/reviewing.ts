import type { Job, Plan, Step } from "#client/api.gen.ts";
import { Rpc } from "#client/rpc.ts";
import { Review } from "#app/features/plan/review.ts";
import * as data from "./data.ts";
import { FakeEngine, world } from "./engine.ts";

/** A review of the fake engine's plan over real frames, and what it said. */
export function reviewing(over: Partial<Plan> = {}) {
  const engine = new FakeEngine(world({ plans: [data.plan(over)] }));
  const rpc: Rpc = new Rpc((text) => link.send(text));
  const link = engine.dial({ opened: () => {}, text: (text) => rpc.receive(text), binary: () => {}, closed: () => {} });
  const said: string[] = [];
  const asked: Job[] = [];
  const undos: (() => void)[] = [];
  let shown: Plan = data.plan(over);
  const review = new Review({
    call: (method, params) => rpc.call(method, params),
    plan: () => shown,
    put: (plan) => { shown = plan; },
    refresh: async () => { shown = await rpc.call("plans.get", { plan: "plan1" }); },
    say: (text) => said.push(text),
    made: (text) => said.push(text),
    decided: (text, undo) => { said.push(text); undos.push(undo); },
    asking: () => async (job) => { asked.push(job); },
  });
  const calls = (method: string) => engine.seen.filter((s) => s.method === method).map((s) => s.params as Record<string, unknown>);
  const at = (n: number) => shown.steps[n - 1] as Step;
  /** Waits until nothing is under way. */
  const settled = async () => {
    for (let i = 0; i < 2000; i++) {
      await new Promise((done) => setTimeout(done, 1));
      if (![...review.snapshot().values()].some((s) => s.busy)) return;
    }
    throw new Error("something stays under way");
  };
  return { engine, review, said, undos, asked, calls, at, settled, shown: () => shown };
}
