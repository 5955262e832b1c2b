import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "#client/rpc.ts";
import { ask, draftOf, taskOf } from "#app/features/research/ask.ts";
import { NO_DRAFT, withoutQuestions, type AskDraft } from "#app/features/research/research.ts";
import type { Job } from "#client/api.gen.ts";
import { requestSaid, saidOf } from "#app/features/jobs/asking.ts";
import { newSession } from "#app/features/sessions/create.ts";
import { Tasks } from "#app/tasks.ts";
import { w } from "#app/words.ts";
import { connected, settle } from "./fake/connected.ts";
import * as data from "./fake/data.ts";

test("the same is begun once while it is under way, and its error stays until it was seen or begun again", async () => {
  const tasks = new Tasks(() => {});
  let told = 0;
  tasks.watch(() => { told += 1; });
  const ends: ((error?: Error) => void)[] = [];
  const work = () => new Promise<void>((done, fail) => ends.push((error) => (error ? fail(error) : done())));
  assert.deepEqual([tasks.run("a", work), tasks.run("a", work), tasks.run("b", work)], [true, false, true]);
  assert.deepEqual([ends.length, tasks.state("a").busy], [2, true]);
  tasks.clear("a");
  assert.equal(tasks.state("a").busy, true, "what is under way is not forgotten");
  ends[0]?.(new Error("It rains."));
  await settle();
  assert.deepEqual([tasks.state("a").busy, tasks.state("a").error?.message, tasks.state("b").busy], [false, "It rains.", true]);
  assert.equal(tasks.run("a", work), true);
  assert.equal(tasks.state("a").error, undefined);
  ends[2]?.(new Error("It snows."));
  await settle();
  tasks.clear("a");
  assert.deepEqual(tasks.state("a"), { busy: false });
  assert.equal(told, 6);
});

test("what goes wrong where nobody looks is told, and what is shown is not told besides", async () => {
  const told: string[] = [];
  const tasks = new Tasks((error) => told.push(error.message));
  const fail = (key: string, message: string) => {
    tasks.run(key, () => Promise.reject(new Error(message)));
    return settle();
  };
  const [first, second] = [tasks.show("a"), tasks.show("a")];
  await fail("a", "It rains.");
  first();
  assert.deepEqual([told, tasks.state("a").error?.message], [[], "It rains."], "another place shows it still");
  second();
  assert.equal(tasks.state("a").error, undefined, "it was seen");
  await fail("a", "It snows.");
  assert.deepEqual([told, tasks.state("a").error?.message], [["It snows."], "It snows."], "and is shown to who comes back");
});

const draft = (questions: string): AskDraft => ({ ...NO_DRAFT, questions, hosts: "docs.rs" });

test("one press asks one set of questions, whatever is closed and opened while it is under way", async () => {
  const { fake, engine, calls } = await connected({ hold: ["research.start"] });
  const heard: (string | undefined)[] = [];
  const written = draft("Is it safe?\nWhat is jitter?");
  engine.prefs.set(draftOf("s1"), written);
  const press = () => ask(engine, { session: "s1", draft: written, propose: false, model: undefined }, (job) => heard.push(job));
  assert.equal(press(), true);
  await settle();
  // The sheet is closed and opened; what it shows reads the same name.
  assert.equal(engine.tasks.state(taskOf("s1")).busy, true);
  assert.equal(press(), false);
  assert.equal(ask(engine, { session: "s1", draft: written, propose: true, model: undefined }, () => {}), false, "nor are questions proposed meanwhile");
  engine.prefs.set(draftOf("s1"), draft("Is it safe?\nWhat is jitter?\nWho says so?"));
  fake.release();
  await settle();
  assert.deepEqual(calls("research.start").map((c) => c.questions), [["Is it safe?", "What is jitter?"]]);
  assert.equal(fake.world.findings?.length, 2);
  assert.deepEqual(heard.length, 1);
  assert.equal(engine.prefs.get(draftOf("s1"), NO_DRAFT).questions, "Who says so?", "what was typed meanwhile is neither asked nor lost");
  assert.equal(press(), true, "afterwards one may ask again");
});

test("what could not be asked stays written, and is told until the sheet is closed", async () => {
  const { fake, engine, unseen } = await connected({ fail: { "research.start": new ApiError("unavailable", "busy", "The engine is busy.") } });
  engine.prefs.set(draftOf("s1"), draft("Is it safe?"));
  ask(engine, { session: "s1", draft: draft("Is it safe?"), propose: false, model: undefined }, () => assert.fail("nothing was asked"));
  await settle();
  assert.deepEqual(engine.tasks.state(taskOf("s1")).error?.reason, "busy");
  assert.equal(engine.prefs.get(draftOf("s1"), NO_DRAFT).questions, "Is it safe?");
  assert.equal(fake.world.findings, undefined);
  assert.deepEqual(unseen, ["The engine is busy."], "the sheet is closed, so it is told");
});

test("only what was asked goes from a draft", () => {
  assert.deepEqual(withoutQuestions(draft(" a \nb\n\na"), ["a"]), draft("b\n"));
  assert.equal(withoutQuestions(draft("a\n\n"), ["a"]).questions, "");
  assert.deepEqual(withoutQuestions(draft("a"), []), draft("a"));
});

test("two presses begin one session", async () => {
  const { fake, engine, calls, unseen } = await connected({ hold: ["sessions.create"] });
  const made: string[] = [];
  const press = () => newSession(engine, "p1", (session) => made.push(session.id));
  assert.deepEqual([press(), press()], [true, false]);
  fake.release();
  await settle();
  assert.deepEqual([calls("sessions.create").length, made], [1, ["s4"]]);
  fake.world.fail = { "sessions.create": new ApiError("unavailable", "busy", "The engine is busy.") };
  assert.equal(press(), true);
  await settle();
  assert.deepEqual([made.length, unseen], [1, ["The engine is busy."]]);
});

test("what is said of a request is what is known of its job", async () => {
  const { fake, engine } = await connected();
  const { store } = engine.connection;
  const job = (over: Partial<Job>) => data.job({ id: "r1", state: "queued", ...over });
  assert.deepEqual(
    [undefined, job({}), job({ state: "running" }), job({ state: "waiting_approval", approval: "a1" }), job({ state: "running", approval: "a1" }), job({ state: "completed", approval: "a1" })].map(requestSaid),
    [w.approve.preparingIt, w.approve.preparingIt, w.approve.preparingIt, w.approve.asks, w.approve.goesOn, w.approve.goesOn],
  );
  assert.equal(saidOf(store, "r1", job({})), w.approve.preparingIt);
  fake.world.jobs = [job({ state: "waiting_approval", approval: "a1" })];
  await store.refresh("jobs.list", {});
  assert.equal(saidOf(store, "r1", job({})), w.approve.asks, "as it is by now, and not as it was begun");
});
