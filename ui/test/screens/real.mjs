/**
 * Walks the whole way on a real engine and a simulated provider: grant, task, files, approval, plan.
 *
 *   node test/screens/real.mjs --bin DIR [--out DIR]
 *
 * DIR holds the built `plantocode` and `simulator`. Serves crates/webui/dist as it is now.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { preview } from "vite";

const option = (name, fallback) => (process.argv.includes(`--${name}`) ? process.argv[process.argv.indexOf(`--${name}`) + 1] : fallback);
const bin = option("bin", fileURLToPath(new URL("../../../target/debug", import.meta.url)));
const home = mkdtempSync(join(tmpdir(), "plantocode-real-"));
const out = option("out", join(home, "shots"));
mkdirSync(out, { recursive: true });
const children = [];

function start(program, args, env = {}) {
  const child = spawn(join(bin, program), args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  return child;
}
const firstLine = async (child) => (await once(createInterface({ input: child.stdout }), "line"))[0];

function repository() {
  const root = join(home, "courier");
  const files = {
    "src/http/client.rs": "use crate::config::Configuration;\n\npub struct Client {\n    config: Configuration,\n}\n\nimpl Client {\n    pub async fn send(&self, request: Request) -> Result<Response, ConnectionError> {\n        self.try_send(&request).await\n    }\n}\n",
    "src/http/error.rs": "#[derive(Debug)]\npub enum ConnectionError {\n    Refused,\n    TimedOut,\n}\n",
    "src/http/mod.rs": "pub mod client;\npub mod error;\n",
    "src/config.rs": "/// How the client behaves.\npub struct Configuration {\n    pub timeout: u64,\n    pub attempts: u32,\n}\n",
    "src/main.rs": "mod config;\nmod http;\n\nfn main() {}\n",
    "tests/client_test.rs": "#[test]\nfn client_send_gives_up() {}\n",
    "README.md": "# courier\n\nSends requests; retries are not supported yet.\n",
    "deploy/settings.env": "AWS_ACCESS_KEY_ID=AKIA" + "QZ7XN3RT5WLKP2VD\nretry client delay attempts send\n",
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  execFileSync("git", ["init", "-q", root]);
  return root;
}

const simulator = start("simulator", ["--behaviour", JSON.stringify({ delay_ms: Number(option("delay", "25")) })]);
const provider = JSON.parse(await firstLine(simulator));
const serve = start("plantocode", ["serve", "--port", "0"], {
  PLANTOCODE_HOME: join(home, "engine"), OPENAI_API_KEY: "sim", OPENAI_BASE_URL: provider.openai, ANTHROPIC_API_KEY: "sim", ANTHROPIC_BASE_URL: provider.anthropic,
});
const engine = /http:\/\/\S+?:\d+/.exec(await firstLine(serve))[0];
const ticket = async () => {
  const state = join(home, "engine", "state");
  for (;;) {
    const file = readdirSync(state).find((f) => f.startsWith("open-"));
    const found = file && /#ticket=([0-9a-f]+)/.exec(readFileSync(join(state, file), "utf8"));
    if (found) return found[1];
    await new Promise((r) => setTimeout(r, 50));
  }
};
const server = await preview({
  configFile: false, root: fileURLToPath(new URL("../../shells", import.meta.url)), logLevel: "warn",
  build: { outDir: fileURLToPath(new URL("../../../crates/webui/dist", import.meta.url)) },
  preview: { port: 0, host: "127.0.0.1", proxy: { "/api": { target: engine, ws: true, changeOrigin: true, headers: { origin: engine } } } },
});
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: option("theme", "light") });
const page = await context.newPage();
const problems = [];
page.on("console", (m) => m.type() === "error" && problems.push(`console: ${m.text()}`));
page.on("pageerror", (e) => problems.push(`threw: ${e.message}`));
let n = 0;
const shot = (name) => page.screenshot({ path: join(out, `real-${String(++n).padStart(2, "0")}-${name}.png`) });

try {
  await page.goto(`${server.resolvedUrls.local[0]}web/index.html#ticket=${await ticket()}`);
  await page.getByLabel("Folder").fill(repository());
  await shot("projects");
  await page.getByRole("button", { name: "Grant folder" }).click();
  await page.getByRole("button", { name: "New session" }).click();
  const editor = page.getByLabel("Task in your words");
  await editor.fill("Retry failed requests in Client::send with a growing delay, at most three attempts, configured in Configuration.");
  await page.getByText("Stored").waitFor();
  await shot("task");
  await page.keyboard.press("Control+Enter");
  await page.getByText(/files? read/).waitFor();
  await shot("files");
  await page.getByLabel("Include deploy/settings.env").focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("j");
  await page.keyboard.press("Control+Enter");
  await page.getByText("Fingerprint").waitFor();
  await page.waitForTimeout(400);
  await shot("approve");
  const leave = page.getByRole("button", { name: "Leave the file out" });
  if (await leave.count()) {
    await leave.first().click();
    await page.getByText("Counting again").first().waitFor({ state: "detached" });
    await shot("approve-without");
  }
  await page.locator("details summary").first().click();
  await page.waitForTimeout(300);
  await shot("approve-exact");
  await page.keyboard.press("Control+Enter");
  await page.locator("[data-step]").first().waitFor();
  await page.waitForTimeout(700);
  await shot("streaming");
  await page.getByText("complete", { exact: true }).waitFor({ timeout: 60_000 });
  await page.locator("[data-step]").first().click();
  await page.waitForTimeout(300);
  await shot("plan");
  await page.keyboard.press("Alt+2");
  await page.keyboard.press("[");
  await page.getByLabel("Task in your words").waitFor({ state: "detached" });
  await page.keyboard.press("Alt+1");
  await page.getByLabel("Task in your words").waitFor();
  await page.waitForTimeout(100);
  if (!(await editor.evaluate((e) => e === document.activeElement))) problems.push("going to the task does not focus its text");
  await page.getByRole("button", { name: "Check again" }).click();
  await page.getByText(/Checked against/).waitFor();
  await shot("checked");
  await page.reload();
  await page.locator("[data-step]").first().waitFor();
  serve.kill("SIGTERM");
  await page.getByText("Offline").waitFor();
  await editor.fill("Typed while the engine is gone.");
  await page.waitForTimeout(900);
  await shot("offline");
} catch (error) {
  problems.push(error.message);
  await shot("failed");
}
await browser.close();
await server.close();
for (const child of children) child.kill();
if (out.startsWith(home)) rmSync(home, { recursive: true });
const expected = /WebSocket connection|Failed to load resource|ERR_/;
const real = problems.filter((p) => !expected.test(p));
for (const problem of real) console.log(problem);
console.log(`${n} pictures, ${real.length} problems`);
process.exit(real.length > 0 ? 1 : 0);
