import assert from "node:assert/strict";
import { test } from "node:test";
import type { Comparison } from "#client/api.gen.ts";
import { comparable, disputed, letterOf, plansIn, preselected, stepIn, taken } from "#app/features/plan/compare.ts";
import * as data from "./fake/data.ts";

const source = (plan: string, step: number) => ({ plan, step });
const comparison: Comparison = {
  plans: [data.plan(), data.otherPlan()],
  rows: [
    { steps: [source("plan2", 1), source("plan1", 1)], files: ["src/http/retry.rs"] },
    { steps: [source("plan1", 2)], files: ["src/net/send.rs"] },
    { steps: [source("plan2", 4)], files: ["tests/config_test.rs"] },
  ],
  disagreements: [{ code: "changes", path: "src/http/retry.rs", message: "The changes differ.", steps: [source("plan1", 1), source("plan2", 1)] }],
};

test("at first everything is ticked once, and the way of the first plan where several do the same", () => {
  const ticked = preselected(comparison);
  assert.deepEqual([...ticked], ["plan1 1", "plan1 2", "plan2 4"]);
  assert.deepEqual(taken(comparison, ticked), [source("plan1", 1), source("plan1", 2), source("plan2", 4)]);
  assert.deepEqual(taken(comparison, new Set(["plan2 4", "plan2 1"])), [source("plan2", 1), source("plan2", 4)], "in the order in which they are shown");
  assert.deepEqual([plansIn(taken(comparison, ticked)), plansIn([source("plan1", 1), source("plan1", 2)]), plansIn([])], [2, 1, 0]);
});

test("a row tells its steps, and what is disputed about them", () => {
  assert.deepEqual([letterOf(comparison, "plan1"), letterOf(comparison, "plan2")], ["A", "B"]);
  assert.equal(stepIn(comparison, source("plan2", 4))?.title, "Test the configuration of retries");
  assert.equal(stepIn(comparison, source("plan3", 4)), undefined);
  assert.deepEqual([0, 1, 2].map((at) => disputed(comparison, at).length), [1, 0, 0]);
});

test("only plans that are there and have steps are compared", () => {
  const plans = [data.plan(), data.plan({ id: "b", state: "streaming" }), data.plan({ id: "c", state: "unreadable", step_count: 0 }), data.plan({ id: "d", state: "cut" })];
  assert.deepEqual(comparable(plans).map((p) => p.id), ["plan1", "d"]);
});
