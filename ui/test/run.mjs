/** Bundles test/*.test.ts with Vite and runs them with Node's own runner. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { alias } from "../vite.config.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = mkdtempSync(join(tmpdir(), "plantocode-ui-test-"));
const tests = readdirSync(here).filter((f) => f.endsWith(".test.ts"));
await build({
  configFile: false, root: here, logLevel: "error", resolve: { alias }, ssr: { noExternal: true },
  build: { ssr: true, outDir: out, emptyOutDir: true, target: "node20", minify: false, rollupOptions: { input: Object.fromEntries(tests.map((f) => [f.slice(0, -3), join(here, f)])), output: { entryFileNames: "[name].mjs" } } },
});
const { status } = spawnSync(process.execPath, ["--test", ...tests.map((f) => join(out, f.replace(/\.ts$/, ".mjs")))], { stdio: "inherit" });
rmSync(out, { recursive: true });
process.exit(status ?? 1);
