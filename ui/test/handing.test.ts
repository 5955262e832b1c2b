import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "#client/rpc.ts";
import { handOver, handTask, hear, underWay, type Handed } from "#app/features/terminals/handing.ts";
import { connected, settle } from "./fake/connected.ts";
import * as data from "./fake/data.ts";
import { agent, shell } from "./fake/terminals.ts";

async function handing() {
  const plan = data.plan();
  const of = await connected({ plans: [plan], terminals: [agent(), shell()] });
  const unseen: Handed[] = [];
  const press = (over: Partial<typeof plan> = {}, to = agent().info) => handOver(of.engine, to, { plan: { ...plan, ...over }, step: "s4", all: true }, (handed) => unseen.push(handed));
  return { ...of, press, told: unseen, keys: () => of.calls("terminals.hand_over").map((c) => c.key) };
}

test("closed and opened while it is under way, a hand-over pastes once, and the sheet that is open then shows what came of it", async () => {
  const { fake, engine, press, told, keys } = await handing();
  fake.world.hold = ["terminals.hand_over"];
  const first: Handed[] = [];
  const second: Handed[] = [];
  const close = hear(engine.tasks, "plan1", "s4", (handed) => first.push(handed));
  assert.deepEqual([press(), press(), underWay(engine.tasks, "plan1", "s4"), engine.tasks.state(handTask("t1", "plan1", "s4")).busy], [true, false, "t1", true]);
  close();
  hear(engine.tasks, "plan1", "s4", (handed) => second.push(handed));
  hear(engine.tasks, "plan1", undefined, () => assert.fail("the sheet of something else"));
  assert.equal(press(), false);
  fake.release();
  await settle();
  assert.deepEqual([keys().length, first, second.map((h) => [h.to.id, h.result.kind]), told], [1, [], [["t1", "pasted"]], []]);
  assert.deepEqual([underWay(engine.tasks, "plan1", "s4"), engine.tasks.state(handTask("t1", "plan1", "s4")).busy], [undefined, false]);
});

test("what came of it is told where no sheet shows it", async () => {
  const { press, told, unseen, fake } = await handing();
  press();
  await settle();
  assert.deepEqual([told.map((h) => h.result.kind), unseen], [["pasted"], []]);
  fake.world.fail = { "terminals.hand_over": new ApiError("unavailable", "terminal_host", "The terminals do not answer.") };
  press();
  await settle();
  assert.deepEqual([told.length, unseen], [1, ["The terminals do not answer."]]);
});

test("the key stays until it is known to have happened, for each terminal and text", async () => {
  const { fake, press, keys } = await handing();
  fake.world.fail = { "terminals.hand_over": new ApiError("unavailable", "link_closed", "The connection ended.") };
  press();
  await settle();
  press({}, shell().info);
  await settle();
  press({ version: 2 });
  await settle();
  fake.world.fail = {};
  press();
  await settle();
  press();
  await settle();
  const [lost, other, newer, again, next] = keys();
  assert.equal(again, lost, "a lost answer does not paste twice");
  assert.equal(new Set([lost, other, newer, next]).size, 4);
});
