import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job, Plan } from "#client/api.gen.ts";
import { ApiError } from "#client/rpc.ts";
import { partName } from "#app/features/approval/AlsoGoes.tsx";
import { askMerge, handTask, mergeByHand, mergeTask } from "#app/features/plan/merge.ts";
import { w } from "#app/words.ts";
import { connected, settle } from "./fake/connected.ts";
import * as data from "./fake/data.ts";

const both = { session: "s1", plans: ["plan1", "plan2"] };

test("a merge by a model asks for the plans that are compared, and waits for the person", async () => {
  const { engine, calls } = await connected({ plans: [data.plan(), data.otherPlan()] });
  const asked: Job[] = [];
  assert.equal(await askMerge(engine, { ...both, wish: "", model: undefined }, (job) => asked.push(job)), true);
  assert.equal(await askMerge(engine, { ...both, wish: "Keep the tests.", model: "openai/gpt-5.1" }, (job) => asked.push(job)), false, "while the list of jobs is read, it is still the first");
  await settle();
  assert.equal(await askMerge(engine, { ...both, wish: "Keep the tests.", model: "openai/gpt-5.1" }, (job) => asked.push(job)), true);
  await settle();
  assert.deepEqual(calls("plans.merge_by_model"), [{ plans: ["plan1", "plan2"] }, { plans: ["plan1", "plan2"], wish: "Keep the tests.", model: "openai/gpt-5.1" }]);
  assert.deepEqual(asked.map((j) => [j.workflow, j.state]), [["plan", "waiting_approval"], ["plan", "waiting_approval"]]);
  assert.equal(engine.connection.store.peek("jobs.list", {}).value?.jobs.length, 2, "it is in the list before one is led to it");
});

test("a merge that is under way is not asked for twice, and one that failed tells why", async () => {
  const { fake, engine, calls } = await connected({ plans: [data.plan(), data.otherPlan()], hold: ["plans.merge_by_model"] });
  const first = askMerge(engine, { ...both, wish: "", model: undefined }, () => {});
  assert.equal(await askMerge(engine, { ...both, wish: "", model: undefined }, () => {}), false);
  assert.equal(engine.tasks.state(mergeTask("s1")).busy, true);
  fake.world.fail = { "plans.merge_by_model": new ApiError("conflict", "plan_streaming", "The plan is still being written.") };
  fake.release();
  assert.equal(await first, false);
  await settle();
  assert.deepEqual([engine.tasks.state(mergeTask("s1")).busy, engine.tasks.state(mergeTask("s1")).error?.reason, calls("plans.merge_by_model").length], [false, "plan_streaming", 1]);
});

test("two presses put one plan together by hand, whatever is closed and opened meanwhile", async () => {
  const { fake, engine, calls, unseen } = await connected({ plans: [data.plan(), data.otherPlan()], hold: ["plans.merge"] });
  const steps = [{ plan: "plan1", step: 1 }, { plan: "plan2", step: 4 }];
  const made: Plan[] = [];
  const press = () => mergeByHand(engine, { session: "s1", plans: [data.plan(), data.otherPlan()], steps }, (plan) => made.push(plan));
  assert.deepEqual([press(), press(), engine.tasks.state(handTask("s1")).busy], [true, false, true]);
  fake.release();
  await settle();
  assert.deepEqual([calls("plans.merge"), made.length, fake.world.plans.length], [[{ steps, shown: [{ plan: "plan1", version: 1 }, { plan: "plan2", version: 1 }] }], 1, 3]);
  assert.equal(engine.connection.store.peek("plans.list", { session: "s1" }).value?.plans.length, 3, "it is in the list before one is led to it");
  fake.world.fail = { "plans.merge": new ApiError("conflict", "plan_streaming", "The plan is still being written.") };
  press();
  await settle();
  assert.deepEqual([made.length, unseen], [1, ["The plan is still being written."]], "nobody looks, so it is told");
});

test("steps of a plan that was changed since it was shown are not put together", async () => {
  const shown = [data.plan(), data.otherPlan()];
  const { fake, engine, calls } = await connected({ plans: [{ ...data.plan(), version: 2 }, data.otherPlan()] });
  const made: Plan[] = [];
  mergeByHand(engine, { session: "s1", plans: shown, steps: [{ plan: "plan1", step: 1 }, { plan: "plan2", step: 4 }] }, (plan) => made.push(plan));
  await settle();
  assert.deepEqual([made.length, fake.world.plans.length, engine.tasks.state(handTask("s1")).error?.reason], [0, 2, "plan_changed"]);
  assert.equal(calls("plans.compare").length, 1, "what there is now is shown");
});

test("each plan that goes has its number, and every part of a merge a name in words", () => {
  assert.deepEqual(["plan-1", "plan-12", "web-finding-3"].map(partName), [w.approve.partPlan("1"), w.approve.partPlan("12"), w.research.partFinding("3")]);
  assert.equal(partName("plan"), w.approve.parts.plan);
  for (const part of ["disagreements", "wish", "task", "instructions"]) assert.notEqual(partName(part), part);
  assert.equal(partName("something"), "something");
});
