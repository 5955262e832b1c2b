import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export const alias = { "#client": here("client"), "#kit": here("kit"), "#app": here("app") };

export default defineConfig({
  root: here("shells/web"),
  resolve: { alias },
  plugins: [react()],
  build: {
    outDir: here("../crates/webui/dist"),
    emptyOutDir: true,
    target: ["chrome123", "firefox128", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // `plantocode serve --port 7717` answers the API while Vite serves the sources.
  server: { proxy: { "/api": { target: "http://127.0.0.1:7717", ws: true } } },
});
