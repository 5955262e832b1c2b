// Starts the real programs and ends them again.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The path of one of our binaries. A missing one is an error that says how to get it. */
export function binary(name) {
  const path = join(root, "target", process.env.E2E_PROFILE ?? "debug", name);
  if (!existsSync(path)) throw new Error(`${path} is missing; run \`cargo build --workspace\` first`);
  return path;
}

/** A folder that `release` removes, with the holders of its terminals: those outlive the engine that started them. */
export async function temporary(release) {
  const dir = await mkdtemp(join(tmpdir(), "plantocode-e2e-"));
  release(async () => {
    await endHolders(dir);
    // A process that was told to end may still write its last.
    await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });
  return dir;
}

async function endHolders(dir) {
  for (const pid of (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
    if (words[1] !== "terminal-host" || !words.some((word) => word.startsWith(`${dir}/`))) continue;
    try {
      process.kill(Number(pid), "SIGTERM");
    } catch {
      // It went by itself.
    }
  }
}

/** A program that runs until `release`. `ready` is given everything printed so far and answers with what it waits for. */
export async function start(release, name, args, { env = {}, cwd, ready }) {
  const child = spawn(binary(name), args, { cwd, env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  let printed = "";
  const program = {
    child,
    printed: () => printed,
    say: (text) => child.stdin.write(text),
    /** Waits until what was printed satisfies `found`. */
    async waitFor(found, limit = 20_000) {
      const until = Date.now() + limit;
      for (;;) {
        const value = found(printed);
        if (value) return value;
        if (child.exitCode !== null) throw new Error(`${name} ended (${child.exitCode}):\n${printed}`);
        if (Date.now() > until) throw new Error(`${name} did not get there within ${limit} ms:\n${printed}`);
        await new Promise((done) => setTimeout(done, 20));
      }
    },
    async kill(signal = "SIGKILL") {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill(signal);
      const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(late);
    },
  };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (printed += data));
  release(() => program.kill());
  program.value = ready ? await program.waitFor(ready) : undefined;
  return program;
}

/** Runs a program to its end: its exit code and what it printed. */
export async function run(name, args, { env = {}, cwd, input } = {}) {
  const child = spawn(binary(name), args, { cwd, env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data) => (stdout += data));
  child.stderr.on("data", (data) => (stderr += data));
  // A program that ends without reading is not an error of the test.
  child.stdin.on("error", () => {});
  child.stdin.end(input ?? "");
  const [code] = await once(child, "close");
  return { code, stdout, stderr };
}

const jsonLine = (text) => {
  const line = text.split("\n").find((l) => l.startsWith("{") && l.endsWith("}"));
  return line && JSON.parse(line);
};

/** A simulated provider, with `control` to change its behaviour and `log` to see what it received. */
export async function simulator(release) {
  const program = await start(release, "simulator", ["--port", "0"], { ready: jsonLine });
  const { url, openai, anthropic } = program.value;
  const post = (path, body) =>
    fetch(url + path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  return {
    url,
    openai,
    anthropic,
    async control(behaviour) {
      const answer = await post("/_control", behaviour);
      if (!answer.ok) throw new Error(await answer.text());
    },
    log: async () => (await fetch(url + "/_log")).json(),
    clear: () => fetch(url + "/_log", { method: "DELETE" }),
  };
}

/** A proxy server whose vault holds keys for the simulator; `setupUrl` makes its first administrator. */
export async function server(release, sim, { dir, key, publicUrl }) {
  const data = ["--data", dir];
  const env = { E2E_PROVIDER_KEY: key };
  const did = async (args) => {
    const { code, stderr } = await run("plantocode-server", [...args, ...data], { env });
    if (code !== 0) throw new Error(`plantocode-server ${args.join(" ")}: ${stderr}`);
  };
  await did(["init"]);
  const add = (provider, url, models) =>
    did(["keys", "add", provider, "--base-url", url, "--dialect", provider, "--key-env", "E2E_PROVIDER_KEY", "--models", models]);
  await add("anthropic", sim.anthropic, "claude-sonnet-4-5");
  await add("openai", sim.openai, "gpt-5-mini");
  const origin = publicUrl ? ["--public-url", publicUrl] : [];
  const words = ["serve", "--listen", "127.0.0.1:0", ...origin, ...data];
  const program = await start(release, "plantocode-server", words, { ready: jsonLine });
  return { url: program.value.url, listens: program.value.listens, setupUrl: program.value.setup_url, program, verify: () => run("plantocode-server", ["audit", "verify", ...data]) };
}

/** `plantocode serve` of a home folder; `open()` gives the address that lets a page in, once. */
export async function serve(release, home, env = {}) {
  const address = (text) => text.match(/Serving at (\S+)/)?.[1];
  const program = await start(release, "plantocode", ["serve"], {
    env: { PLANTOCODE_HOME: home, NO_COLOR: "1", ...env },
    ready: (text) => text.includes("works once") && address(text),
  });
  const files = () => [...program.printed().matchAll(/To get in, open (\S+)/g)].map((m) => m[1]);
  let used = 0;
  return {
    program,
    url: program.value,
    async open() {
      if (files().length <= used) {
        program.say("\n");
        await program.waitFor(() => files().length > used);
      }
      const html = await readFile(files()[used++], "utf8");
      return html.match(/url=([^"]+)"/)[1];
    },
  };
}
