import assert from "node:assert/strict";
import { test } from "node:test";
import type { Step } from "#client/api.gen.ts";
import { asShown, asTyped, blankForm, contentOf, formOf, touched, type EditDraft, type StepForm } from "#app/features/plan/edit.ts";
import { numbersOf, type Around } from "#app/features/plan/refs.ts";
import { draftKey, store, type StoredDraft } from "#app/features/plan/storing.ts";
import { Prefs } from "#app/prefs.ts";
import { memory, settle } from "./fake/connected.ts";
import { elsewhere } from "./fake/review.ts";
import { reviewing } from "./fake/reviewing.ts";

/** A form over the fake engine's plan: typed into, kept and stored as the sheet does it. */
function form() {
  const of = reviewing();
  const prefs = new Prefs(memory(), "e1");
  const became: string[] = [];
  const kept = (step?: string) => prefs.get<EditDraft | undefined>(draftKey("plan1", step), undefined);
  const around = (step?: string): Around => ({ numbers: numbersOf(of.shown()), own: step, last: (id) => kept(step)?.numbers?.[id] });
  const type = (step: string | undefined, over: Partial<StepForm>) => {
    const now = of.shown().steps.find((s) => s.id === step);
    const base = kept(step)?.base ?? (now ? formOf(now, around().numbers) : blankForm());
    prefs.set(draftKey("plan1", step), { base, form: asTyped(over, kept(step)?.form ?? base, around(step)), numbers: {} } satisfies EditDraft);
  };
  const press = (step: string | undefined): Promise<StoredDraft | undefined> => {
    const draft = kept(step)?.form ?? blankForm();
    const content = contentOf(draft, around(step));
    if ("problems" in content) throw new Error([...content.problems].join());
    return store(of.review, prefs, { plan: of.shown(), step, form: draft, content }, (made) => became.push(made));
  };
  return { ...of, prefs, kept, around, type, press, became };
}
const operations = (change: string) => [{ kind: "modify" as const, path: "src/main.rs", to: "", symbol: "", first: "", last: "", change }];

test("a new step that is stored is that step from then on: what is typed meanwhile is a change of it", async () => {
  const { engine, type, press, kept, around, became, shown, calls } = form();
  engine.world.hold = ["plans.edit_step"];
  type(undefined, { title: "Log each attempt", after: "2", operations: operations("log()") });
  const stored = press(undefined);
  await settle();
  type(undefined, { title: "Log each attempt, once" });
  engine.release();
  const made = await stored;
  assert.ok(made);
  assert.deepEqual([made.more, became], [true, [made.step]]);
  assert.equal(kept(undefined), undefined, "nothing is left that would be added once more");
  const draft = kept(made.step);
  assert.ok(draft && touched(draft));
  assert.deepEqual([draft.base.title, draft.form.title, asShown(draft.form, around(made.step)).after, asShown(draft.form, around(made.step)).position], ["Log each attempt", "Log each attempt, once", "2", "7"]);

  assert.deepEqual(await press(made.step), { step: made.step, more: false });
  assert.deepEqual(calls("plans.edit_step").map((c) => [c.step, (c.content as Step).title]), [[undefined, "Log each attempt"], [made.step, "Log each attempt, once"]]);
  assert.equal(shown().steps.length, 7, "one step was added");
  assert.deepEqual([shown().steps[6]?.title, kept(made.step)], ["Log each attempt, once", undefined]);
});

test("the last place that is typed while a new step is stored is that of the last step, and no place behind it", async () => {
  for (const [first, at] of [["1", "7"], ["7", "7"]] as const) {
    const { engine, type, press, kept, around, calls, shown } = form();
    engine.world.hold = ["plans.edit_step"];
    type(undefined, { title: "Log each attempt", position: first, operations: operations("log()") });
    const stored = press(undefined);
    await settle();
    // One of the two ways to have typed more: elsewhere, and then back to the end, and a word more.
    type(undefined, { position: "2" });
    type(undefined, { title: "Log each attempt, once", position: "7" });
    engine.release();
    const made = await stored;
    assert.ok(made?.more);
    const draft = kept(made.step);
    assert.ok(draft);
    assert.equal(asShown(draft.form, around(made.step)).position, at);
    assert.equal("problems" in contentOf(draft.form, around(made.step)), false);
    assert.deepEqual(await press(made.step), { step: made.step, more: false });
    assert.equal(shown().steps[6]?.title, "Log each attempt, once");
    assert.equal(calls("plans.edit_step").length, 2);
  }
});

test("a new step that is stored as it was typed is forgotten, and so is one brought back to that", async () => {
  const { engine, type, press, kept, became, shown } = form();
  type(undefined, { title: "A", operations: operations("a()") });
  const first = await press(undefined);
  assert.deepEqual([first?.more, kept(undefined), shown().steps.length], [false, undefined, 7]);
  engine.world.hold = ["plans.edit_step"];
  type(undefined, { title: "B", operations: operations("b()") });
  const second = press(undefined);
  await settle();
  type(undefined, { title: "B and more" });
  type(undefined, { title: "B" });
  type(undefined, { operations: operations("b()") });
  engine.release();
  assert.equal((await second)?.more, false);
  assert.deepEqual([kept(undefined), became, shown().steps.length], [undefined, [], 8]);
});

test("of a step that is changed what is typed meanwhile stays a change of what was stored", async () => {
  const { engine, type, press, kept, became } = form();
  engine.world.hold = ["plans.edit_step"];
  type("s4", { title: "First" });
  const stored = press("s4");
  await settle();
  type("s4", { why: "Second." });
  engine.release();
  assert.deepEqual(await stored, { step: "s4", more: true });
  assert.deepEqual([kept("s4")?.base.title, kept("s4")?.form.title, kept("s4")?.base.why, kept("s4")?.form.why, became], ["First", "First", "", "Second.", []]);
});

test("what could not be stored stays as it was typed", async () => {
  const { engine, type, press, kept, became } = form();
  type(undefined, { title: "Mine", operations: operations("a()") });
  elsewhere(engine, "plan1", "s1", { title: "Theirs" });
  assert.equal(await press(undefined), undefined);
  assert.deepEqual([kept(undefined)?.form.title, became], ["Mine", []]);
  assert.equal((await press(undefined))?.more, false, "and can be stored on top of what there is now");
});
