import assert from "node:assert/strict";
import { test } from "node:test";
import { Terminal } from "@xterm/xterm";
import type { LinkState } from "#client/connection.ts";
import { ApiError, linkClosed, type Feed, type FeedHandlers, type FeedRecord } from "#client/rpc.ts";
import { Follower, type Sink } from "#client/terminal/follower.ts";
import { InputQueue } from "#client/terminal/input.ts";
import { silence, type ParserHooks } from "#client/terminal/queries.ts";
import { contentOf, DATA, EXIT, GAP, RESIZE, SNAPSHOT } from "#client/terminal/records.ts";
import { plainText } from "#app/features/terminals/plainText.ts";
import { wordsOf } from "#app/features/terminals/start.ts";
import { arrow, controlOf, needsPaste } from "#app/features/terminals/typing.ts";

const EPOCH = "18446744073709551615";
const utf8 = (text: string) => new TextEncoder().encode(text);
const record = (kind: number, offset: number, bytes: Uint8Array, epoch = EPOCH): FeedRecord => ({ kind, epoch, offset, bytes });
const settle = async () => {
  for (let i = 0; i < 12; i++) await Promise.resolve();
};

/** The same numbers on every run. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

class FakeLink {
  state: LinkState = { status: "linked" };
  private readonly watchers = new Set<() => void>();
  watch = (notify: () => void) => {
    this.watchers.add(notify);
    return () => void this.watchers.delete(notify);
  };
  snapshot = () => this.state;
  set(status: LinkState["status"]): void {
    this.state = { status };
    for (const notify of [...this.watchers]) notify();
  }
}

/** Attachments to one growing output; the test decides what each sends. */
class FakeSource extends FakeLink {
  attaches: { epoch?: string | null; have: number }[] = [];
  on: FeedHandlers | undefined;
  consumed = 0;
  feed = (_method: string, params: object, on: FeedHandlers): Feed => {
    this.attaches.push(params as { epoch?: string; have: number });
    this.on = on;
    return { id: this.attaches.length, consume: (n) => (this.consumed += n), cancel: () => { if (this.on === on) this.on = undefined; } };
  };
  cut(): void {
    const on = this.on;
    this.on = undefined;
    this.state = { status: "lost" };
    on?.end(linkClosed());
  }
}

class Page implements Sink {
  shown: number[] = [];
  log: string[] = [];
  write(bytes: Uint8Array, shown: () => void): void {
    for (const byte of bytes) this.shown.push(byte);
    shown();
  }
  clear(size?: { columns: number; rows: number }): void {
    this.shown = [];
    this.log.push(size ? `clear ${size.columns}x${size.rows}` : "clear");
  }
  resize(size: { columns: number; rows: number }): void {
    this.log.push(`resize ${size.columns}x${size.rows}@${this.shown.length}`);
  }
}

function follow() {
  const source = new FakeSource();
  const page = new Page();
  const follower = new Follower({ caller: source as never, terminal: "t1", window: 1024, sink: page, changed: () => {} });
  return { source, page, follower };
}

const u16 = (...values: number[]) => Uint8Array.from(values.flatMap((v) => [v >> 8, v & 255]));
const u64s = (...values: number[]) => {
  const bytes = new Uint8Array(8 * values.length);
  values.forEach((v, i) => new DataView(bytes.buffer).setBigUint64(8 * i, BigInt(v)));
  return bytes;
};

test("records are read, and what is no record is passed over", () => {
  assert.deepEqual(contentOf(record(SNAPSHOT, 9, Uint8Array.of(...u16(80, 24), 65, 66))), { kind: "snapshot", size: { columns: 80, rows: 24 }, bytes: Uint8Array.of(65, 66) });
  assert.deepEqual(contentOf(record(GAP, 5, u64s(2 ** 40))), { kind: "gap", from: 5, to: 2 ** 40 });
  assert.deepEqual(contentOf(record(RESIZE, 5, u16(132, 50))), { kind: "resize", size: { columns: 132, rows: 50 } });
  assert.deepEqual(contentOf(record(EXIT, 5, utf8('{"code":3}'))), { kind: "exit", exit: { code: 3 } });
  assert.deepEqual(contentOf(record(EXIT, 5, utf8('{"signal":"SIGTERM"}'))), { kind: "exit", exit: { signal: "SIGTERM" } });
  assert.deepEqual(contentOf(record(EXIT, 5, utf8("nonsense"))), { kind: "exit", exit: {} });
  for (const [kind, bytes] of [[SNAPSHOT, [0, 80, 0]], [SNAPSHOT, [0, 0, 0, 24]], [GAP, [1, 2]], [RESIZE, [0]], [77, [1]]] as const) {
    assert.equal(contentOf(record(kind, 0, Uint8Array.from(bytes))), undefined);
  }
});

test("a thousand cuts at random bytes: nothing twice, nothing missing", () => {
  const roll = dice(20261122);
  const output = Uint8Array.from({ length: 60_000 }, () => roll(256));
  const { source, page, follower } = follow();
  let cuts = 0;
  while (follower.at < output.length) {
    const { have } = source.attaches.at(-1) as { have: number };
    assert.equal(have, follower.at);
    // Sometimes from before what was asked for, as after a coarse log; sometimes a piece twice.
    let at = Math.max(0, have - (roll(3) === 0 ? roll(50) : 0));
    for (let pieces = roll(4); pieces >= 0 && at < output.length; pieces--) {
      const end = cuts < 1000 ? Math.min(output.length, at + 1 + roll(40)) : output.length;
      source.on?.record(record(DATA, at, output.slice(at, end)));
      if (roll(10) === 0) source.on?.record(record(DATA, at, output.slice(at, end)));
      at = end;
    }
    if (follower.at >= output.length) break;
    const stale = source.on;
    source.cut();
    cuts += 1;
    assert.equal(follower.state.kind, "offline");
    // What a link that is gone still says.
    stale?.record(record(DATA, follower.at, Uint8Array.of(1, 2, 3)));
    const before = follower.at;
    source.set("linked");
    assert.equal(source.attaches.at(-1)?.have, before);
  }
  assert.ok(cuts >= 1000, `${cuts} cuts`);
  assert.deepEqual(Uint8Array.from(page.shown), output);
  assert.deepEqual(follower.gaps, []);
  assert.deepEqual(page.log, []);
});

test("a snapshot, a size and a gap take effect at their offsets", () => {
  const { source, page, follower } = follow();
  assert.deepEqual(source.attaches[0], { terminal: "t1", window: 1024, have: 0 });
  source.on?.record(record(SNAPSHOT, 100, Uint8Array.of(...u16(90, 30), ...utf8("screen"))));
  source.on?.record(record(DATA, 100, utf8("abc")));
  source.on?.record(record(RESIZE, 103, u16(120, 40)));
  source.on?.record(record(DATA, 103, utf8("def")));
  assert.deepEqual(page.log, ["clear 90x30", "resize 120x40@9"]);
  assert.equal(String.fromCharCode(...page.shown), "screenabcdef");
  assert.deepEqual(follower.gaps, []);
  source.on?.record(record(GAP, 106, u64s(5000)));
  source.on?.record(record(SNAPSHOT, 5000, Uint8Array.of(...u16(120, 40), ...utf8("later"))));
  assert.deepEqual(follower.gaps, [{ from: 106, to: 5000 }]);
  // An older screen takes nothing back.
  source.on?.record(record(SNAPSHOT, 4000, Uint8Array.of(...u16(10, 10), ...utf8("old"))));
  assert.equal(String.fromCharCode(...page.shown), "later");
  source.cut();
  source.set("linked");
  assert.deepEqual(source.attaches.at(-1), { terminal: "t1", window: 1024, epoch: EPOCH, have: 5000 });
  source.on?.record(record(EXIT, 5000, utf8('{"code":0}')));
  assert.deepEqual(follower.state, { kind: "ended", exit: { code: 0 } });
  const attaches = source.attaches.length;
  source.on?.end();
  source.cut();
  source.set("linked");
  assert.equal(source.attaches.length, attaches, "an ended terminal is not asked for again");
});

test("a hole that nobody told of is asked for once more, then shown", () => {
  const { source, page, follower } = follow();
  source.on?.record(record(DATA, 0, utf8("abc")));
  source.on?.record(record(DATA, 10, utf8("xyz")));
  assert.deepEqual(source.attaches.at(-1), { terminal: "t1", window: 1024, epoch: EPOCH, have: 3 });
  source.on?.record(record(DATA, 10, utf8("xyz")));
  assert.deepEqual(follower.gaps, [{ from: 3, to: 10 }]);
  assert.equal(String.fromCharCode(...page.shown), "abcxyz");
});

test("dropped records are fetched again at once; another run begins with an empty page", () => {
  const { source, page, follower } = follow();
  source.on?.record(record(DATA, 0, utf8("abc")));
  source.on?.end(new ApiError("unavailable", "lagging", "Some output did not arrive."));
  assert.equal(source.attaches.at(-1)?.have, 3);
  source.on?.record(record(DATA, 0, utf8("new"), "7"));
  assert.deepEqual([page.log, String.fromCharCode(...page.shown), follower.epoch], [["clear"], "new", "7"]);
  source.on?.end(new ApiError("not_found", "no_terminal", "It was forgotten."));
  assert.equal(follower.state.kind, "failed");
});

test("what was shown is reported, and only then", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { source } = follow();
  source.on?.record(record(DATA, 0, new Uint8Array(20_000)));
  assert.equal(source.consumed, 0);
  source.on?.record(record(DATA, 20_000, new Uint8Array(20_000)));
  assert.equal(source.consumed, 40_000);
  source.on?.record(record(DATA, 40_000, new Uint8Array(10)));
  t.mock.timers.tick(100);
  assert.equal(source.consumed, 40_010);
});

/** A host that applies each number once, behind a link that loses calls and answers. */
class FakeHost extends FakeLink {
  applied = "";
  last = 0;
  calls = 0;
  lose: "call" | "answer" | undefined;
  refuse: ApiError | undefined;
  call = async (_method: string, { seq, data, text }: { seq: number; data?: string; text?: string }): Promise<unknown> => {
    this.calls += 1;
    const lose = this.lose;
    this.lose = undefined;
    await Promise.resolve();
    if (lose === "call") return this.drop();
    if (this.refuse) {
      const error = this.refuse;
      this.refuse = undefined;
      throw error;
    }
    if (seq > this.last + 1) throw new ApiError("conflict", "input_sequence", "", { expected: String(this.last + 1) });
    if (seq === this.last + 1) {
      this.last = seq;
      this.applied += data === undefined ? `[${text}]` : atob(data);
    }
    if (lose === "answer") return this.drop();
    return data === undefined ? { kind: "pasted" } : { seq: this.last };
  };
  private drop(): never {
    this.state = { status: "lost" };
    throw linkClosed();
  }
}

test("keys arrive once and in order, whatever is lost", async () => {
  const roll = dice(7);
  const host = new FakeHost();
  const queue = new InputQueue(host as never, "t1", "viewer");
  let typed = "";
  for (let i = 0; i < 1000; i++) {
    if (roll(3) === 0) host.lose = roll(2) === 0 ? "call" : "answer";
    for (let keys = roll(4); keys >= 0; keys--) {
      const key = String.fromCharCode(97 + roll(26));
      typed += key;
      queue.type(key);
    }
    if (roll(20) === 0) {
      typed += "[two\nlines]";
      void queue.paste("two\nlines");
    }
    await settle();
    if (host.state.status === "lost" && roll(2) === 0) host.set("linked");
  }
  host.lose = undefined;
  host.set("linked");
  await settle();
  await settle();
  assert.equal(host.applied, typed);
  assert.equal(queue.waiting, 0);
});

test("what is typed during a call travels together, and another count is followed", async () => {
  const host = new FakeHost();
  const queue = new InputQueue(host as never, "t1", "viewer");
  for (const key of "hello") queue.type(key);
  await settle();
  assert.deepEqual([host.applied, host.calls], ["hello", 2]);
  // The host began to count anew: what it expects is what comes.
  host.last = 0;
  queue.type("x");
  await settle();
  assert.deepEqual([host.applied, host.last], ["hellox", 1]);
});

test("input that can never be taken is dropped with a reason", async () => {
  const host = new FakeHost();
  const queue = new InputQueue(host as never, "t1", "viewer");
  host.refuse = new ApiError("not_found", "no_terminal", "It has ended.");
  const paste = queue.paste("late\n");
  queue.type("more");
  await assert.rejects(paste, /ended/);
  await settle();
  assert.deepEqual([queue.waiting, queue.error?.reason, host.applied], [0, "no_terminal", ""]);
  queue.type("again");
  await settle();
  assert.deepEqual([host.applied, queue.error], ["again", undefined]);
});

test("a viewer answers no query", async () => {
  const E = "\u001b";
  const queries = [
    `${E}[c`, `${E}[0c`, `${E}[>c`, `${E}[>0c`, `${E}[=c`, `${E}[5n`, `${E}[6n`, `${E}[?6n`, `${E}[?15n`, `${E}[?25n`, `${E}[?26n`, `${E}[?53n`, `${E}[?996n`,
    `${E}[>q`, `${E}[>0q`, `${E}[4$p`, `${E}[?1$p`, `${E}[?2004$p`, `${E}[?2026$p`, `${E}P$qm${E}\\`, `${E}P$qr${E}\\`, `${E}P$q"p${E}\\`, `${E}P$q q${E}\\`, `${E}P+q544e${E}\\`,
    `${E}]4;1;?\u0007`, `${E}]4;1;?;2;?${E}\\`, `${E}]10;?\u0007`, `${E}]11;?\u0007`, `${E}]12;?\u0007`, `${E}]10;?;?;?\u0007`, `${E}]52;c;?\u0007`, `${E}]52;c;cm0gLXJm\u0007`, `${E}]21;foreground=?\u0007`,
    `${E}[11t`, `${E}[13t`, `${E}[14t`, `${E}[14;2t`, `${E}[16t`, `${E}[18t`, `${E}[19t`, `${E}[20t`, `${E}[21t`, `${E}[x`, `${E}[1x`, `${E}[?u`, `${E}Z`, `${E}[1;1;1;1;1;1*y`, "\u0005", "\u009bc", "\u009b6n",
  ];
  const loud = new Terminal({ allowProposedApi: true });
  const quiet = new Terminal({ allowProposedApi: true });
  silence(quiet.parser as ParserHooks);
  const answers = { loud: 0, quiet: [] as string[] };
  loud.onData(() => (answers.loud += 1));
  quiet.onData((data) => answers.quiet.push(data));
  quiet.onBinary((data) => answers.quiet.push(data));
  for (const query of queries) {
    await new Promise<void>((done) => loud.write(query, done));
    await new Promise<void>((done) => quiet.write(query, done));
  }
  assert.ok(answers.loud >= 10, "the list has queries that xterm answers");
  assert.deepEqual(answers.quiet, []);
  // What a person types still goes out.
  quiet.input("y");
  assert.deepEqual(answers.quiet, ["y"]);
});

test("small readings: pastes, control keys, arrows, command lines, plain text", () => {
  assert.deepEqual(["ls -l", "a\tb", "a\nb", "a\r", "\u001b[201~", "\u0085", "schön 日本"].map(needsPaste), [false, false, true, true, true, true, false]);
  assert.deepEqual([controlOf("c"), controlOf("["), controlOf(" "), controlOf("é"), controlOf("ab")], ["\u0003", "\u001b", "\0", undefined, undefined]);
  assert.deepEqual([arrow("up", false), arrow("left", true)], ["\u001b[A", "\u001bOD"]);
  assert.deepEqual(wordsOf(`agent --task "two words" 'it''s' a\\ b --x="y z"`), ["agent", "--task", "two words", "its", "a b", "--x=y z"]);
  assert.deepEqual(wordsOf("   "), []);
  assert.equal(plainText("\u001b[1mbold\u001b[0m\r\n10%\r100%\r\n\u001b]0;title\u0007ok\u0007"), "bold\n100%\nok");
});
