import react from "@vitejs/plugin-react";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export const alias = { "#client": here("client"), "#kit": here("kit"), "#app": here("app") };

const engine = "http://127.0.0.1:7717";

/** Writes the phone's service worker with the list of files that it keeps; their names hold their content. */
const phoneWorker = {
  name: "phone-worker",
  apply: "build",
  generateBundle(_options, bundle) {
    const parts = Object.values(bundle);
    const page = parts.find((part) => part.type === "chunk" && part.facadeModuleId?.endsWith("/mobile/index.html"));
    const wanted = new Set();
    const follow = (name) => {
      const part = bundle[name];
      if (!part || wanted.has(name)) return;
      wanted.add(name);
      if (part.type !== "chunk") return;
      for (const next of [...part.imports, ...part.dynamicImports, ...(part.viteMetadata?.importedCss ?? []), ...(part.viteMetadata?.importedAssets ?? [])]) follow(next);
    };
    if (page) follow(page.fileName);
    // Typefaces are named in style sheets only.
    for (const part of parts) if (part.type === "asset" && part.fileName.endsWith(".woff2")) wanted.add(part.fileName);
    const files = [...wanted].filter((name) => name.startsWith("assets/")).sort().map((name) => `/${name}`);
    const source = readFileSync(here("shells/mobile/sw.js"), "utf8");
    const version = createHash("sha256").update(source).update(files.join("\n")).digest("hex").slice(0, 12);
    this.emitFile({ type: "asset", fileName: "mobile/sw.js", source: source.replace("__VERSION__", version).replace('["__FILES__"]', JSON.stringify(files)) });
  },
};

export default defineConfig({
  root: here("shells"),
  resolve: { alias },
  plugins: [react(), phoneWorker],
  build: {
    outDir: here("../crates/webui/dist"),
    emptyOutDir: true,
    // One build for all shells: what they share is one file.
    rollupOptions: { input: ["web", "desktop", "mobile"].map((shell) => here(`shells/${shell}/index.html`)) },
    target: ["chrome123", "firefox128", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  // `plantocode serve --port 7717` answers the API while Vite serves the sources; it admits its own origin only.
  server: { proxy: { "/api": { target: engine, ws: true, changeOrigin: true, headers: { origin: engine } } } },
});
