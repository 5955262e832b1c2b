/** Bundles probe.ts into the folder that is named, for tests that run the phone's own code under Node. */
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { alias } from "../../vite.config.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const outDir = process.argv[2];
await build({
  configFile: false,
  root: here,
  logLevel: "error",
  resolve: { alias },
  ssr: { noExternal: true },
  build: { ssr: true, outDir, target: "node20", minify: false, rollupOptions: { input: `${here}probe.ts`, output: { entryFileNames: "probe.mjs" } } },
});
