/** Runs phone.ts, bundled, for the Rust tests of `crates/relay`: the real phone against the real desktop. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "vite";
import { alias } from "../../vite.config.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = mkdtempSync(join(tmpdir(), "plantocode-phone-"));
process.on("exit", () => rmSync(out, { recursive: true, force: true }));
await build({
  configFile: false, root: here, logLevel: "error", resolve: { alias }, ssr: { noExternal: true },
  build: { ssr: true, outDir: out, target: "node20", minify: false, rollupOptions: { input: join(here, "phone.ts"), output: { entryFileNames: "phone.mjs" } } },
});
await import(pathToFileURL(join(out, "phone.mjs")).href);
