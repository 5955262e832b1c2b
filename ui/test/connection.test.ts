import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Connection } from "#client/connection.ts";
import type { LinkHandlers } from "#client/link.ts";
import { redialDelay } from "#client/socket.ts";
import { ticketOf } from "#client/ticket.ts";
import { FakeEngine, world } from "./fake/engine.ts";

const settle = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

function connect(hostAnswers = false) {
  const engine = new FakeEngine(world());
  const links: LinkHandlers[] = [];
  let up = true;
  const connection = new Connection(
    (handlers) => {
      links.push(handlers);
      if (up) return engine.dial(handlers);
      queueMicrotask(() => handlers.closed());
      return { send: () => {}, close: () => {} };
    },
    { hostAnswers: () => Promise.resolve(hostAnswers), random: () => 0.5, now: Date.now, client: "test" },
  );
  return { connection, engine, links, drop: () => links.at(-1)?.closed(), setUp: (next: boolean) => (up = next) };
}

test("the wait before a dial grows from 0.5 s to 10 s, with full jitter", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 9].map((n) => redialDelay(n, () => 1)), [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  assert.equal(redialDelay(3, () => 0), 0);
});

test("a lost link is dialed again and everything shown is read again", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  try {
    const { connection, engine, drop, links, setUp } = connect();
    await settle();
    assert.equal(connection.state.status, "linked");
    let told = 0;
    connection.store.watch("projects.list", {}, () => told++);
    await settle();
    const reads = () => engine.seen.filter((s) => s.method === "projects.list").length;
    mock.timers.tick(300);
    await settle();
    const before = reads();
    setUp(false);
    drop();
    await settle();
    assert.equal(connection.state.status, "lost");
    await assert.rejects(connection.call("jobs.list", {}));
    assert.equal(connection.store.peek("projects.list", {}).value?.projects.length, 3, "what was read stays");
    mock.timers.tick(250);
    await settle();
    assert.equal(links.length, 2, "dialed after half of 500 ms");
    setUp(true);
    mock.timers.tick(500);
    await settle();
    assert.equal(connection.state.status, "linked");
    mock.timers.tick(300);
    await settle();
    assert.ok(reads() > before, "read again");
    connection.close();
  } finally {
    mock.timers.reset();
  }
});

test("a host that answers and does not open the link has refused this page", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  try {
    const { connection, drop, setUp } = connect(true);
    await settle();
    setUp(false);
    drop();
    await settle();
    for (let i = 0; i < 4; i++) {
      mock.timers.tick(10_000);
      await settle();
    }
    assert.equal(connection.state.status, "refused");
    connection.close();
  } finally {
    mock.timers.reset();
  }
});

test("changes re-read what follows them, and nothing else", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  try {
    const { connection, engine } = connect();
    await settle();
    connection.store.watch("sessions.get", { session: "s1" }, () => {});
    connection.store.watch("sessions.get", { session: "s2" }, () => {});
    await settle();
    mock.timers.tick(300);
    await settle();
    engine.seen.length = 0;
    for (let i = 0; i < 5; i++) engine.tell({ topic: "session", id: "s1" });
    await settle();
    mock.timers.tick(300);
    await settle();
    assert.deepEqual(engine.seen, [{ method: "sessions.get", params: { session: "s1" } }], "one read for a burst");
    connection.close();
  } finally {
    mock.timers.reset();
  }
});

test("a ticket is taken from the fragment only", () => {
  assert.equal(ticketOf("#ticket=0aF9"), "0aF9");
  for (const bad of ["", "#/session/x", "#ticket=", "#ticket=xyz", "?ticket=00"]) assert.equal(ticketOf(bad), undefined);
});

test("a call that makes something has one key until it is answered, also over a new link", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  try {
    const { connection, engine, drop } = connect();
    await settle();
    const start = () => connection.call("plans.start", { session: "s1" });
    const keys = () => engine.keyed.map(({ key }) => key);
    engine.world.hang = ["plans.start"];
    const [first, twice] = [start(), start()];
    const ends = Promise.all([first, twice].map((call) => assert.rejects(call, { reason: "link_closed" })));
    await settle();
    assert.equal(keys()[0], keys()[1], "pressed twice before there is an answer");
    drop();
    await ends;
    await assert.rejects(start(), { reason: "link_closed" }, "nothing is sent while the link is lost");
    mock.timers.tick(1000);
    await settle();
    engine.world.hang = [];
    await start();
    assert.equal(keys()[2], keys()[0], "its answer was lost: the same call again");
    await start();
    assert.notEqual(keys()[3], keys()[0], "it was answered: this is another one");
    await connection.call("plans.start", { session: "s2" }).catch(() => {});
    await connection.call("jobs.list", {});
    assert.deepEqual([engine.keyed.length, new Set(keys()).size], [5, 3], "each call its own; looking needs none");
  } finally {
    mock.timers.reset();
  }
});

test("a page that came without TLS from another machine can make something, too", async () => {
  const { connection, engine } = connect();
  await settle();
  Object.defineProperty(crypto, "randomUUID", { value: undefined, configurable: true });
  try {
    await connection.call("plans.start", { session: "s1" });
  } finally {
    // What stands behind it is the function itself.
    delete (crypto as { randomUUID?: unknown }).randomUUID;
  }
  assert.match(engine.keyed[0]?.key ?? "", /^[0-9a-f]{32}$/);
});

test("whoever asks again long after an answer was lost means another call", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  try {
    const { connection, engine, drop } = connect();
    await settle();
    engine.world.hang = ["sessions.create"];
    const lost = assert.rejects(connection.call("sessions.create", { project: "p1", task: "" }), { reason: "link_closed" });
    await settle();
    drop();
    await lost;
    mock.timers.tick(121_000);
    await settle();
    engine.world.hang = [];
    await connection.call("sessions.create", { project: "p1", task: "" });
    assert.equal(new Set(engine.keyed.map(({ key }) => key)).size, 2);
  } finally {
    mock.timers.reset();
  }
});
