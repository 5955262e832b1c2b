// Two phones, one desktop, one server that must not read: rights, cuts, a killed engine, revocation, and what stands where.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { cutter } from "../lib/cutter.mjs";
import { inFiles, inMemory } from "../lib/memory.mjs";
import { follow, here, history, linked, pairWith, probe, signIn } from "../lib/phone.mjs";
import { run } from "../lib/programs.mjs";
import { until } from "../lib/webdriver.mjs";
import { confirm, setUp, world } from "../lib/world.mjs";

const MARKER = "marker-7f3a91c2d4-in-terminal-output";
const TASK_MARKER = "marker-55c0de99aa-in-the-task";

let w, ui, code, looker, typist, terminal, local;
const cli = (...args) => run("plantocode", args, { env: { PLANTOCODE_HOME: w.home, NO_COLOR: "1" }, cwd: w.repo });
const base64 = (text) => Buffer.from(text).toString("base64");

before(async () => {
  w = await world({ through: cutter });
  const person = await setUp(w);
  ui = await w.serve();
  code = await probe(w.dir);
  await signIn(w.release, w.home, w.proxy.url, (address) => confirm(person, address));
  local = await here(code, w.home);
});
after(() => w?.release.all());

test("phones are paired by code and digits, with the rights that were chosen", async () => {
  const first = await pairWith(w.release, code, w.home, "Looker", []);
  looker = { ...first, ...code.connectPhone(first.paired) };
  const second = await pairWith(w.release, code, w.home, "Typist", ["type", "files"]);
  typist = { ...second, ...code.connectPhone(second.paired) };
  await linked(looker.connection);
  await linked(typist.connection);
  assert.deepEqual(looker.connection.state.greeting.scopes, ["view"]);
  assert.deepEqual(typist.connection.state.greeting.scopes.sort(), ["files", "type", "view"]);
  const listed = await cli("devices", "list");
  assert.match(listed.stdout, /online {2}Looker {2}may look {2}/);
  assert.match(listed.stderr, /Reachable through http/);
});

test("a phone that may only look is refused every method that does more", async () => {
  const methods = (await readFile(new URL("../../crates/api/tests/it/methods.txt", import.meta.url), "utf8")).trim().split("\n");
  let refused = 0;
  for (const line of methods) {
    const [name, scope] = line.split(/\s+/);
    const kind = line.includes("=>>") ? "feed" : line.includes("=>*") ? "subscribe" : "call";
    const error = await new Promise((done) => {
      if (kind === "call") return looker.connection.call(name, {}).then(() => done(undefined), done);
      const stop = looker.connection[kind](name, {}, { item: () => done(undefined), record: () => done(undefined), end: done });
      setTimeout(() => (stop.cancel ?? stop)(), 10_000).unref();
    });
    const allowed = scope === "none" || scope === "view";
    assert.equal(error?.code === "forbidden", !allowed, `${name}: ${error?.code}`);
    refused += allowed ? 0 : 1;
  }
  assert.ok(refused > 20 && methods.length > 50, `${refused} of ${methods.length}`);
});

test("twenty megabytes of output reach the phone byte for byte over a link that is cut again and again", async () => {
  // Without the terminal's own line ends, so that the program's bytes are the terminal's bytes.
  // In nine pieces with pauses, so that the link can be cut again and again on a fast machine too.
  const pieces = "for i in 0 1 2 3 4 5 6 7 8; do seq $((i * 300000 + 1)) $(((i + 1) * 300000)); sleep 0.5; done";
  const script = `stty -opost -echo; read go; ${pieces}; echo ${MARKER}; while read line; do echo "heard $line"; done`;
  const started = await cli("terminal", "start", "--detach", "--title", "numbers", "--", "sh", "-c", script);
  assert.equal(started.code, 0, started.stderr);
  terminal = started.stdout.trim();
  const view = follow(looker.connection, terminal);
  await typist.connection.call("terminals.input", { terminal, viewer: "t", seq: 1, data: base64("go\n") });
  let cuts = 0;
  const head = async () => (await local.call("terminals.list", {})).terminals.find((t) => t.id === terminal);
  const end = Buffer.byteLength(`${MARKER}\n`) + seqBytes(2_700_000);
  const deadline = Date.now() + 120_000;
  while (view.have < end) {
    await new Promise((done) => setTimeout(done, 100 + Math.random() * 500));
    if (cuts < 6) cuts += w.way.cut();
    assert.ok(Date.now() < deadline, `at ${view.have} of ${end}, ${JSON.stringify((await head()).head)}`);
  }
  assert.ok(cuts >= 3, `${cuts} cuts`);
  view.stop();
  await view.done;
  assert.equal(view.again, 0, "no byte came twice");
  assert.ok(view.attaches > 2);

  // What the view skipped is fetched now, while the link is cut some more.
  const whole = Buffer.alloc(end);
  let known = 0;
  for (const [offset, bytes] of view.pieces) known += Buffer.from(bytes).copy(whole, offset);
  const cutting = setInterval(() => w.way.cut(), 5000);
  for (const [from, to] of view.skipped) {
    await history(looker.connection, terminal, view.epoch, from, to, (offset, bytes) => (known += Buffer.from(bytes).copy(whole, offset)));
  }
  clearInterval(cutting);
  assert.equal(known, end, "every byte once");

  const there = Buffer.alloc(end);
  await history(local, terminal, view.epoch, 0, end, (offset, bytes) => Buffer.from(bytes).copy(there, offset));
  const sha = (bytes) => createHash("sha256").update(bytes).digest("hex");
  assert.equal(sha(whole), sha(there), "the phone has what the desktop's log has");
  const lines = there.toString("latin1").split("\n");
  assert.equal(lines[2_699_999], "2700000");
  assert.equal(lines[2_700_000], MARKER);
});

const seqBytes = (n) => {
  let bytes = 0;
  for (let digits = 1, from = 1; from <= n; digits += 1, from *= 10) bytes += (Math.min(n, from * 10 - 1) - from + 1) * (digits + 1);
  return bytes;
};

test("the engine is killed and started again; the shell, the output and the phone's place are still there", async () => {
  const view = follow(typist.connection, terminal);
  await until("the view", () => view.have > 20_000_000);
  local.close();
  await ui.program.kill("SIGKILL");
  ui = await w.serve();
  local = await here(code, w.home);
  // The phone learns that its session is unknown when it says something, and begins another.
  const list = () => typist.connection.call("terminals.list", {});
  const running = await until("the phone's way to the new engine", async () => (await list()).terminals[0], 60_000);
  assert.equal(running.state, "running");
  const before = view.have;
  const input = { terminal, viewer: "t", seq: 2, data: base64("after the crash\n") };
  await typist.connection.call("terminals.input", input);
  // The same number again has no second effect.
  assert.deepEqual(await typist.connection.call("terminals.input", input), { seq: 2 });
  await until("the answer", () => text(view, before).includes("heard after the crash\n"), 60_000);
  await new Promise((done) => setTimeout(done, 500));
  assert.equal(text(view, before).split("heard after the crash").length, 2, "heard once");
  view.stop();
});

const text = (view, from) => Buffer.concat(view.pieces.filter(([offset]) => offset >= from).map(([, bytes]) => Buffer.from(bytes))).toString();

test("what phones and engine say to each other stands nowhere in the server", async () => {
  const project = (await local.call("projects.list", {})).projects[0].id;
  const { id: session } = await local.call("sessions.create", { project, task: `${TASK_MARKER}: change it` });
  assert.match((await typist.connection.call("sessions.get", { session })).task, new RegExp(TASK_MARKER));
  const view = follow(looker.connection, terminal);
  await until("the view", () => view.snapshots > 0);
  await typist.connection.call("terminals.input", { terminal, viewer: "t", seq: 3, data: base64(`${MARKER}-again\n`) });
  await until("the marker on the phone", () => text(view, 0).includes(`heard ${MARKER}-again`), 60_000);
  const secret = (await readFile(join(w.home, "data/device.key"), "utf8")).trim().slice(0, 64);
  const markers = [MARKER, TASK_MARKER];
  assert.deepEqual(await inMemory(w.proxy.program.child.pid, markers), [], "in the server's memory");
  assert.deepEqual(await inFiles(join(w.dir, "server"), [...markers, secret]), [], "in the server's files");
  const printed = w.proxy.program.printed();
  for (const marker of [...markers, secret]) assert.ok(!printed.includes(marker), "in the server's log");
  // The same search finds both where they must be, so that it can be believed.
  const control = await inMemory(ui.program.child.pid, markers);
  assert.ok(control.includes(`${MARKER} (plain)`), JSON.stringify(control));
  assert.ok(control.includes(`${TASK_MARKER} (plain)`), JSON.stringify(control));
  view.stop();
});

test("a revoked phone is out at once and stays out", async () => {
  const done = await cli("devices", "revoke", "Looker");
  assert.equal(done.code, 0, done.stderr);
  await assert.rejects(looker.connection.call("sessions.list", {}), (error) => error.code === "unavailable");
  await until("the hub's refusal", () => looker.hub.status === "refused");
  assert.deepEqual((await typist.connection.call("devices.list", {})).devices.map((d) => d.name), ["Typist"]);
  looker.hub.close();
  typist.hub.close();
  looker.connection.close();
  typist.connection.close();
  local.close();
});
