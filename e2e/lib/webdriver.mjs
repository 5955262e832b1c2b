// The few words of the WebDriver protocol that drive the desktop app's window (W3C WebDriver, section 6 and on).
import { spawn } from "node:child_process";
import { createServer } from "node:net";

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

export async function freePort() {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.on("error", fail);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

async function call(base, method, path, body) {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${value?.error}: ${value?.message}`);
  return value;
}

/** Waits until `attempt` gives something, or says what failed last. */
export async function until(what, attempt, limit = 30_000) {
  const end = Date.now() + limit;
  let last;
  for (;;) {
    try {
      const value = await attempt();
      if (value) return value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`${what} did not happen within ${limit} ms${last ? `: ${last.message}` : ""}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** A session of a window, driven by `tauri-driver`. */
export async function session(base, application) {
  const capabilities = { alwaysMatch: { browserName: "wry", "tauri:options": { application } } };
  const { sessionId } = await call(base, "POST", "/session", { capabilities });
  const at = `/session/${sessionId}`;
  const find = async (xpath) => (await call(base, "POST", `${at}/elements`, { using: "xpath", value: xpath })).map((e) => e[ELEMENT]);
  const one = (xpath) => until(`an element ${xpath}`, async () => (await find(xpath))[0]);
  return {
    find,
    one,
    execute: (script, ...args) => call(base, "POST", `${at}/execute/sync`, { script, args }),
    click: async (xpath) => call(base, "POST", `${at}/element/${await one(xpath)}/click`, {}),
    type: async (xpath, text) => call(base, "POST", `${at}/element/${await one(xpath)}/value`, { text }),
    text: () => call(base, "POST", `${at}/execute/sync`, { script: "return document.body.innerText", args: [] }),
    end: () => call(base, "DELETE", at),
  };
}

/** Starts a program that stays until `release`; `ready` polls until it can be used. */
export async function helper(release, name, command, args, env, ready) {
  // A process group of its own: what it starts ends with it.
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"], detached: true });
  let printed = "";
  child.on("error", (error) => (printed += `\n${error.message}`));
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (printed += data));
  release(() => {
    for (const stream of [child.stdout, child.stderr]) stream.destroy();
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  });
  await until(`${name} being ready`, async () => {
    if (child.exitCode !== null) throw new Error(`${name} ended (${child.exitCode}): ${printed}`);
    return ready();
  });
  return { child, printed: () => printed };
}
