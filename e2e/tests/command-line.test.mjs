// The command line as a person uses it: through a server, with one's own provider, refused, tampered with, cut.
import assert from "node:assert/strict";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { TASK } from "../lib/repository.mjs";
import { engine } from "../lib/engine.mjs";
import { run, start } from "../lib/programs.mjs";
import { tamper } from "../lib/tamper.mjs";
import { confirm, KEY, setUp, world } from "../lib/world.mjs";

let w, person;
before(async () => {
  w = await world();
  person = await setUp(w);
});
after(() => w?.release.all());

const plantocode = (home, args, more = {}) =>
  run("plantocode", args, { ...more, env: { PLANTOCODE_HOME: home, NO_COLOR: "1", OPENAI_API_KEY: "", ANTHROPIC_API_KEY: "", GEMINI_API_KEY: "", XAI_API_KEY: "", ...more.env } });

async function signIn(home, server) {
  const login = await start(w.release, "plantocode", ["login", "--server", server], {
    env: { PLANTOCODE_HOME: home, NO_COLOR: "1" },
    ready: (text) => text.match(/Open\s+(\S+)/)?.[1],
  });
  // The page is the server's own, also when the engine reaches it through somebody else.
  await confirm(person, login.value);
  await login.waitFor((text) => text.includes("Signed in to"));
}

test("discover prints ranked paths and nothing else", async () => {
  const { code, stdout } = await plantocode(w.home, ["discover", TASK, "--project", w.repo]);
  assert.equal(code, 0);
  const paths = stdout.trim().split("\n");
  assert.ok(paths.slice(0, 3).includes("src/send.rs"), stdout);
  const json = await plantocode(w.home, ["discover", TASK, "--project", w.repo, "--json", "--tests"]);
  const files = json.stdout.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(Object.keys(files[0]).sort(), ["path", "rank", "reasons", "score", "test"]);
  assert.ok(files.some((f) => f.test && f.path === "tests/sending.rs"));
  const again = await plantocode(w.home, ["discover", TASK, "--project", w.repo, "--json", "--tests"]);
  assert.equal(again.stdout, json.stdout, "the same tree and task give the same answer");
});

test("bad input is said plainly", async () => {
  for (const [args, words] of [
    [["discover", "  "], "there is no task"],
    [["discover", "x", "--project", join(w.dir, "nowhere")], "nowhere"],
    [["discover", "x", "--project", join(w.repo, "README.md")], "not a directory"],
    [["plan", TASK, "--project", w.repo, "--model", "no/such"], "no model"],
    [["login", "--server", "http://plantocode.example"], "https"],
    [["models", "add", "x", "--url", "http://far.example/v1", "--model", "m"], "https"],
  ]) {
    const { code, stdout, stderr } = await plantocode(join(w.dir, "bad"), args);
    assert.equal(code, 1, args.join(" "));
    assert.equal(stdout, "");
    assert.ok(stderr.toLowerCase().includes(words), `${args.join(" ")}: ${stderr}`);
    assert.ok(!stderr.includes("panicked") && !stderr.includes(".rs:"), stderr);
  }
});

test("a plan through the server, with the exact bytes that were approved", async () => {
  const home = join(w.dir, "member");
  await signIn(home, w.proxy.url);
  await w.sim.control({});
  await w.sim.clear();
  const output = join(w.dir, "plan.json");
  const args = ["plan", TASK, "--project", w.repo, "--exclude", "src/parcel.rs", "--yes-up-to", "2", "--format", "json", "--output", output];
  const { code, stderr } = await plantocode(home, args);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /Send \d+ files, about [\d.k]+ tokens, to server\/claude-sonnet-4-5 through the team proxy/);
  const plan = JSON.parse(await readFile(output, "utf8"));
  assert.ok(plan.steps.length >= 2 && plan.steps.every((step) => step.complete));
  assert.ok(plan.steps.some((s) => s.operations.some((o) => o.path === "src/send.rs" && o.kind === "modify")));
  const log = await w.sim.log();
  assert.equal(log.length, 1);
  assert.equal(log[0].path, "/anthropic/v1/messages");
  assert.ok(!log[0].body.includes("A parcel with its weight"), "the excluded file was sent");
  const verified = await w.proxy.verify();
  assert.equal(verified.code, 0, verified.stderr);
  await plantocode(home, ["logout"]);
  assert.match((await plantocode(home, ["whoami"])).stdout, /Not signed in/);
});

test("one byte changed on the way is refused by the server and reaches no provider", async () => {
  const home = join(w.dir, "tampered");
  const middle = await tamper(w.release, w.proxy.url);
  await signIn(home, middle.url);
  await w.sim.control({});
  await w.sim.clear();
  middle.state.armed = true;
  const { code, stderr } = await plantocode(home, ["plan", TASK, "--project", w.repo, "--yes-up-to", "2"]);
  assert.notEqual(code, 0);
  assert.equal(middle.state.changed, 1);
  assert.match(stderr, /approv/i, stderr);
  assert.deepEqual(await w.sim.log(), [], "a provider saw bytes that nobody approved");
  middle.state.armed = false;
  const honest = await plantocode(home, ["plan", TASK, "--project", w.repo, "--yes-up-to", "2"]);
  assert.equal(honest.code, 0, honest.stderr);
});

test("nothing leaves without a yes", async () => {
  const home = join(w.dir, "own");
  await plantocode(home, ["models", "add", "sim", "--url", w.sim.openai, "--model", "sim-large"]);
  await w.sim.control({});
  await w.sim.clear();
  const piped = await plantocode(home, ["plan", TASK, "--project", w.repo]);
  assert.equal(piped.code, 4, piped.stderr);
  assert.equal(piped.stdout, "");
  assert.deepEqual(await w.sim.log(), []);
});

test("a secret stops the request until it is redacted", async () => {
  const home = join(w.dir, "own");
  const token = "ghp_" + "k3Jd8sLq0ZxV7bNm2WpR5tYu9HcE4aGf6QiD";
  const file = join(w.repo, "src/secrets.rs");
  await writeFile(file, `//! Where send gets its token.\npub const TOKEN: &str = "${token}";\n`);
  try {
    await w.sim.clear();
    const args = ["plan", "Use TOKEN of src/secrets.rs in send", "--project", w.repo, "--include", "src/secrets.rs", "--yes-up-to", "1"];
    const blocked = await plantocode(home, args);
    assert.equal(blocked.code, 3, blocked.stderr);
    assert.match(blocked.stderr, /src\/secrets\.rs:2/);
    assert.ok(!blocked.stderr.includes(token));
    assert.deepEqual(await w.sim.log(), []);
    const redacted = await plantocode(home, [...args, "--redact"]);
    assert.equal(redacted.code, 0, redacted.stderr);
    assert.ok(!(await w.sim.log())[0].body.includes(token));
  } finally {
    await rm(file);
  }
});

test("a provider that stops in the middle gives a plan that is called cut", async () => {
  const home = join(w.dir, "own");
  for (const behaviour of [{ style: "cut" }, { cut_after_bytes: 6000 }]) {
    await w.sim.control(behaviour);
    const { code, stdout, stderr } = await plantocode(home, ["plan", TASK, "--project", w.repo, "--yes-up-to", "1"]);
    assert.equal(code, 5, stderr);
    assert.match(stderr, /not complete/);
    assert.match(stdout, /^# /);
  }
  await w.sim.control({});
});

test("an engine killed in the middle loses nothing and sends nothing twice", async () => {
  const home = join(w.dir, "own");
  await w.sim.control({ delay_ms: 120 });
  await w.sim.clear();
  const program = await start(w.release, "plantocode", ["plan", TASK, "--project", w.repo, "--yes-up-to", "1"], {
    env: { PLANTOCODE_HOME: home, NO_COLOR: "1" },
    ready: (text) => text.includes("  1. "),
  });
  await program.kill("SIGKILL");
  await w.sim.control({});
  const ui = await w.serve({ PLANTOCODE_HOME: home });
  const { call } = await engine(w.release, home);
  const session = (await call("sessions.list")).sessions[0].id;
  const settled = async () => {
    const [plan] = (await call("plans.list", { session })).plans;
    return plan.state === "streaming" ? undefined : plan;
  };
  let plan;
  for (const until = Date.now() + 5000; !plan && Date.now() < until; plan = await settled());
  assert.equal(plan?.state, "cut", "the job is settled within five seconds of the next start");
  assert.match(plan.trouble, /nothing was sent again/);
  assert.ok(plan.step_count >= 1, "what had arrived is kept");
  assert.equal((await w.sim.log()).length, 1, "the request was sent again");
  assert.equal((await call("usage.verify_record")).broken_at, undefined);
  await ui.program.kill("SIGTERM");
});

test("the provider's key is in no file of the server and in nothing it prints", async () => {
  const { readdir } = await import("node:fs/promises");
  const dir = join(w.dir, "server");
  await mkdir(dir, { recursive: true });
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = await readFile(join(entry.parentPath, entry.name));
    for (const form of [KEY, Buffer.from(KEY).toString("base64"), Buffer.from(KEY).toString("hex")]) {
      assert.ok(!bytes.includes(form), `${entry.name} holds the key`);
    }
  }
  assert.ok(!w.proxy.program.printed().includes(KEY));
});
