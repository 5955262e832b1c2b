import assert from "node:assert/strict";
import { test } from "node:test";
import type { ComparedRow, Comparison, Disagreement, Step } from "#client/api.gen.ts";
import { comparable, indexed, letterOf, plansIn, preselected, taken } from "#app/features/plan/compare.ts";
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
  const index = indexed(comparison);
  const ticked = preselected(comparison, index);
  assert.deepEqual([...ticked], ["plan1 s1", "plan1 s2", "plan2 s4"]);
  assert.deepEqual(taken(comparison, index, ticked), [source("plan1", 1), source("plan1", 2), source("plan2", 4)]);
  assert.deepEqual(taken(comparison, index, new Set(["plan2 s4", "plan2 s1"])), [source("plan2", 1), source("plan2", 4)], "in the order in which they are shown");
  assert.deepEqual([plansIn(taken(comparison, index, ticked)), plansIn([source("plan1", 1), source("plan1", 2)]), plansIn([])], [2, 1, 0]);
});

test("what is ticked stays the same steps when others are added to a plan, moved or removed", () => {
  const ticked = preselected(comparison, indexed(comparison));
  const [first, second, ...rest] = data.steps as [Step, Step, ...Step[]];
  const moved = data.plan({ version: 2, steps: [{ ...first, id: "x1", title: "Ask Grace" }, second, first, ...rest].map((s, i) => ({ ...s, number: i + 1 })) });
  const [one, , three] = data.otherPlan().steps as [Step, Step, Step, Step];
  const now: Comparison = {
    plans: [moved, { ...data.otherPlan(), steps: [one, three].map((s, i) => ({ ...s, number: i + 1 })) }],
    rows: [{ steps: [source("plan1", 1)], files: [] }, { steps: [source("plan1", 2)], files: [] }, { steps: [source("plan1", 3), source("plan2", 1)], files: [] }, { steps: [source("plan2", 2)], files: [] }],
    disagreements: [],
  };
  assert.deepEqual(taken(now, indexed(now), ticked), [source("plan1", 2), source("plan1", 3)], "by the numbers that they have now, and none that took another's place");
});

test("a row tells its steps, and what is disputed about them", () => {
  assert.deepEqual([letterOf(comparison, "plan1"), letterOf(comparison, "plan2")], ["A", "B"]);
  const { step, disputed } = indexed(comparison);
  assert.equal(step(source("plan2", 4))?.title, "Test the configuration of retries");
  assert.equal(step(source("plan3", 4)), undefined);
  assert.deepEqual(comparison.rows.map((row) => disputed(row).length), [1, 0, 0], "what several of its steps are named in is told once");
});

test("disagreements about a row stand in the order in which they are told", () => {
  const [row] = comparison.rows as [ComparedRow];
  const about = (message: string, ...steps: Disagreement["steps"]): Disagreement => ({ code: "changes", path: "a", message, steps });
  const of = indexed({ ...comparison, disagreements: [about("first", source("plan1", 1)), about("second", source("plan2", 1), source("plan1", 1)), about("other", source("plan1", 2)), about("third", source("plan2", 1))] });
  assert.deepEqual(of.disputed(row).map((d) => d.message), ["first", "second", "third"]);
});

/** The list, and how often one of its entries was looked at. */
function counted<T>(list: T[], count: { n: number }): T[] {
  return new Proxy(list, {
    get: (target, key, receiver) => {
      if (typeof key === "string" && /^\d+$/.test(key)) count.n += 1;
      return Reflect.get(target, key, receiver);
    },
  });
}

test("two plans of twenty thousand steps are shown side by side by looking at each step a few times", () => {
  const N = 20_000;
  const looked = { n: 0 };
  const steps = (title: string) => counted(Array.from({ length: N }, (_, i) => ({ ...(data.steps[0] as Step), id: `s${i + 1}`, number: i + 1, title: `${title} ${i + 1}` })), looked);
  const both = (i: number) => [source("plan1", i + 1), source("plan2", N - i)];
  const large: Comparison = {
    plans: [data.plan({ steps: steps("A") }), data.plan({ id: "plan2", steps: steps("B") })],
    rows: Array.from({ length: N }, (_, i) => ({ steps: both(i), files: [`src/${i}.rs`] })),
    disagreements: counted(Array.from({ length: N }, (_, i) => ({ code: "changes", path: `src/${i}.rs`, message: `The changes of row ${i} differ.`, steps: both(i) })), looked),
  };
  const of = indexed(large);
  large.rows.forEach((row, i) => {
    assert.deepEqual(row.steps.map((s) => of.step(s)?.title), [`A ${i + 1}`, `B ${N - i}`]);
    assert.deepEqual(of.disputed(row).map((d) => d.path), row.files);
  });
  // Three lists of so many entries, each entry looked at when the index is made and when its row is shown.
  assert.ok(looked.n <= 3 * 3 * N, `looked ${looked.n} times`);
});

test("only plans that are there and have steps are compared", () => {
  const plans = [data.plan(), data.plan({ id: "b", state: "streaming" }), data.plan({ id: "c", state: "unreadable", step_count: 0 }), data.plan({ id: "d", state: "cut" })];
  assert.deepEqual(comparable(plans).map((p) => p.id), ["plan1", "d"]);
});
