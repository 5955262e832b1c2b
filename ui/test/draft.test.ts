import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { Session } from "#client/api.gen.ts";
import { ApiError, linkClosed } from "#client/rpc.ts";
import { Draft, type LocalDraft } from "#app/features/task/draft.ts";

const settle = async () => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};
const session = (task: string, task_version: number): Session => ({ id: "s", project: "p", title: "", task, task_version, created_at: 0, updated_at: 0 });

function open(task = "one", version = 1, kept?: LocalDraft) {
  const server = { task, version, fail: undefined as ApiError | undefined, saves: [] as string[] };
  const local = { kept };
  const draft = new Draft(session(task, version), {
    save: async (text, base) => {
      if (server.fail) throw server.fail;
      if (base !== server.version) throw new ApiError("conflict", "task_changed", "Changed.");
      server.saves.push(text);
      Object.assign(server, { task: text, version: server.version + 1 });
      return session(text, server.version);
    },
    load: async () => session(server.task, server.version),
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

timed("a text stored elsewhere is never overwritten: both are offered, and both can be kept", async () => {
  const { draft, server, local } = open();
  draft.edit("mine");
  Object.assign(server, { task: "theirs", version: 7 });
  mock.timers.tick(400);
  await settle();
  assert.equal(draft.state.status, "conflict");
  assert.equal(draft.state.text, "mine");
  assert.equal(draft.state.theirs?.text, "theirs");
  assert.equal(local.kept?.text, "mine");
  await assert.rejects(draft.flush());
  assert.equal(server.task, "theirs");
  draft.edit("mine, longer");
  draft.choose("both");
  mock.timers.tick(10);
  await settle();
  assert.equal(server.task, "mine, longer\n\ntheirs");
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

timed("a draft left by a closed tab is stored, or disputed when the engine has moved on", async () => {
  const same = open("one", 1, { text: "left behind", base: 1 });
  assert.equal(same.draft.state.text, "left behind");
  mock.timers.tick(400);
  await settle();
  assert.equal(same.server.task, "left behind");
  const moved = open("other", 4, { text: "left behind", base: 1 });
  assert.equal(moved.draft.state.status, "conflict");
  assert.equal(moved.draft.state.theirs?.text, "other");
});

timed("flush stores the last keystroke before a search begins", async () => {
  const { draft, server } = open();
  draft.edit("one two");
  await draft.flush();
  assert.equal(server.task, "one two");
});
