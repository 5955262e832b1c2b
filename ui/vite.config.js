import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export const alias = { "#client": here("client"), "#kit": here("kit"), "#app": here("app") };

const engine = "http://127.0.0.1:7717";

export default defineConfig({
  root: here("shells"),
  resolve: { alias },
  plugins: [react()],
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
