import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { Session } from "#client/api.gen.ts";
import { ApiError, linkClosed } from "#client/rpc.ts";
import { Draft, moved, type LocalDraft } from "#app/features/task/draft.ts";

const settle = async () => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};
const session = (task: string, task_version: number): Session => ({ id: "s", project: "p", title: "", task, task_version, created_at: 0, updated_at: 0 });

/** The engine as far as a draft sees it. Putting two texts together is its own affair; here both stand one after the other. */
function open(task = "one", version = 1, kept?: LocalDraft) {
  const server = { task, version, fail: undefined as ApiError | undefined, saves: [] as string[], bases: [] as string[] };
  const local = { kept };
  const draft = new Draft(session(task, version), {
    save: async (text, base) => {
      if (server.fail) throw server.fail;
      server.saves.push(text);
      server.bases.push(base.text);
      const both = base.version === server.version || text === server.task ? text : `${server.task}|${text}`;
      Object.assign(server, { task: both, version: server.version + 1 });
      return session(both, server.version);
    },
    move: async (way, seen) => {
      if (seen !== server.version) throw new ApiError("conflict", "task_changed", "Changed.");
      Object.assign(server, { task: way, version: server.version + 1 });
      return session(way, server.version);
    },
    keep: (next) => (local.kept = next),
    kept: () => local.kept,
  });
  return { draft, server, local };
}

function timed(name: string, body: () => Promise<void>) {
  test(name, async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      await body();
    } finally {
      mock.timers.reset();
    }
  });
}

timed("each keystroke is kept here at once and stored within a second, also while typing goes on", async () => {
  const { draft, server, local } = open();
  for (let i = 1; i <= 9; i++) {
    draft.edit("one".padEnd(3 + i, "!"));
    assert.equal(local.kept?.text.length, 3 + i);
    mock.timers.tick(100);
    await settle();
  }
  assert.ok(server.saves.length >= 1, "stored before the typing stopped");
  mock.timers.tick(1000);
  await settle();
  assert.equal(server.task, "one!!!!!!!!!");
  assert.equal(draft.state.status, "saved");
  assert.equal(local.kept, undefined);
});

timed("what was stored elsewhere is put together with what is typed here", async () => {
  const { draft, server, local } = open();
  draft.edit("mine");
  Object.assign(server, { task: "theirs", version: 7 });
  mock.timers.tick(400);
  await settle();
  assert.deepEqual(draft.state, { text: "theirs|mine", status: "saved", merged: true });
  assert.deepEqual(server.bases, ["one"], "the engine is told what it was made from");
  assert.equal(local.kept, undefined);
  draft.edit("theirs|mine!");
  mock.timers.tick(400);
  await settle();
  assert.deepEqual(draft.state, { text: "theirs|mine!", status: "saved" });
});

timed("what is typed while the engine puts texts together is put in too", async () => {
  const { draft, server, local } = open();
  draft.edit("mine");
  Object.assign(server, { task: "theirs", version: 7 });
  mock.timers.tick(400);
  draft.edit("mine, longer");
  await settle();
  assert.equal(draft.state.text, "mine, longer", "nothing is taken from under the fingers");
  assert.deepEqual(local.kept?.base, { text: "mine", version: 1 });
  assert.equal(local.kept?.sent, undefined);
  mock.timers.tick(400);
  await settle();
  assert.deepEqual(server.bases, ["one", "mine"]);
  assert.equal(draft.state.text, "theirs|mine|mine, longer");
  assert.equal(draft.state.text, server.task);
});

timed("a newer text that is seen while one types is put together at once", async () => {
  const { draft, server } = open();
  draft.edit("mine");
  Object.assign(server, { task: "theirs", version: 2 });
  draft.seen(session("theirs", 2));
  mock.timers.tick(400);
  await settle();
  assert.equal(draft.state.text, "theirs|mine");
});

timed("undo stores what was typed and then asks the engine", async () => {
  const { draft, server } = open();
  draft.edit("one two");
  await draft.move("undo");
  assert.deepEqual(server.saves, ["one two"]);
  assert.deepEqual(draft.state, { text: "undo", status: "saved" });
});

timed("a save whose answer was lost is sent again as it was, before what was typed since", async () => {
  const { draft, server, local } = open();
  draft.edit("one two");
  // The engine stores it, and the link closes before it can say so.
  const stored = () => Object.assign(server, { task: "one two", version: 2, fail: linkClosed() });
  stored();
  mock.timers.tick(400);
  await settle();
  draft.edit("one two three");
  assert.deepEqual(local.kept?.sent, { text: "one two", base: { text: "one", version: 1 } });
  server.fail = undefined;
  mock.timers.tick(400);
  await settle();
  assert.deepEqual(server.saves, ["one two"], "the same again, onto the same");
  assert.deepEqual(server.bases, ["one"]);
  mock.timers.tick(400);
  await settle();
  assert.equal(server.task, "one two three");
});

timed("what is typed while a step is taken back is not lost", async () => {
  const { draft, server } = open();
  draft.edit("one two");
  await draft.flush();
  const moving = draft.move("undo");
  draft.edit("one two three");
  await moving;
  assert.equal(draft.state.text, "one two three");
  mock.timers.tick(400);
  await settle();
  assert.equal(server.bases.at(-1), "one two");
  assert.equal(draft.state.text, "undo|one two three");
});

timed("a model's words that come into the task while one types cost no keystroke", async () => {
  const { draft, server, local } = open();
  draft.edit("one tw");
  // The engine applies them before it has what was typed, and says so.
  Object.assign(server, { task: "better", version: 2 });
  draft.seen(session("better", 2));
  draft.edit("one two");
  assert.equal(draft.state.text, "one two", "nothing is taken from under the fingers");
  mock.timers.tick(400);
  draft.edit("one two!");
  await settle();
  assert.equal(draft.state.text, "one two!");
  assert.equal(local.kept?.text, "one two!", "and it survives a closed page");
  mock.timers.tick(400);
  await settle();
  assert.equal(draft.state.text, server.task);
  assert.match(draft.state.text, /better.*one two!$/);
  assert.deepEqual(draft.stored, { text: server.task, version: server.version });
});

timed("a newer text that is seen while one is saved is not forgotten", async () => {
  let answer: (session: Session) => void = () => assert.fail("nothing is being saved");
  const draft = new Draft(session("one", 1), {
    save: () => new Promise((resolve) => (answer = resolve)),
    move: () => assert.fail("nobody walks"),
    keep: () => {},
    kept: () => undefined,
  });
  draft.edit("one two");
  mock.timers.tick(400);
  await settle();
  // A model's words stand on top of what was saved, and are read before the answer to the save has come.
  draft.seen(session("one two, better", 3));
  assert.equal(draft.state.text, "one two");
  answer(session("one two", 2));
  await settle();
  assert.deepEqual(draft.state, { text: "one two, better", status: "saved" });
  assert.equal(draft.stored.version, 3);
});

test("the caret stays at its word when other words come in", () => {
  assert.equal(moved(3, "abc def", "abc xyz def"), 3);
  assert.equal(moved(7, "abc def", "abc xyz def"), 11);
  assert.equal(moved(2, "abc", "abc"), 2);
  assert.equal(moved(5, "abc def ghi", "abc ghi"), 4, "in what was taken out");
  assert.equal(moved(0, "", "all new"), 0);
});

timed("an editor that changed nothing takes the newer text", async () => {
  const { draft } = open();
  draft.seen(session("newer", 2));
  assert.deepEqual(draft.state, { text: "newer", status: "saved" });
});

timed("what was typed offline is stored when the link is back", async () => {
  const { draft, server, local } = open();
  server.fail = linkClosed();
  draft.edit("typed offline");
  mock.timers.tick(400);
  await settle();
  assert.equal(draft.state.status, "offline");
  assert.equal(local.kept?.text, "typed offline");
  server.fail = undefined;
  draft.retry();
  mock.timers.tick(1);
  await settle();
  assert.equal(server.task, "typed offline");
  assert.equal(draft.state.status, "saved");
});

timed("a draft left by a closed tab is stored, also when the engine has moved on", async () => {
  const base = { text: "one", version: 1 };
  const same = open("one", 1, { text: "left behind", base });
  assert.equal(same.draft.state.text, "left behind");
  mock.timers.tick(400);
  await settle();
  assert.equal(same.server.task, "left behind");
  const later = open("other", 4, { text: "left behind", base });
  mock.timers.tick(400);
  await settle();
  assert.equal(later.draft.state.text, "other|left behind");
  assert.deepEqual(later.server.bases, ["one"]);
});

timed("flush stores the last keystroke before a search begins", async () => {
  const { draft, server } = open();
  draft.edit("one two");
  await draft.flush();
  assert.equal(server.task, "one two");
});
