import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Connection } from "#client/connection.ts";
import { tauriDial } from "#client/tauri.ts";
import { App } from "#app/App.tsx";
import { NoEngine } from "#app/Door.tsx";
import "#kit/tokens.css";
import "#kit/base.css";

const root = createRoot(document.getElementById("root") as HTMLElement);

const connection = new Connection(
  tauriDial((why) => {
    // The app could not open the engine at all: dialling again would say the same.
    connection.close();
    root.render(<StrictMode><NoEngine why={why} /></StrictMode>);
  }),
  { hostAnswers: () => Promise.resolve(false), random: Math.random, now: Date.now, client: "desktop 0.1.0" },
);
root.render(<StrictMode><App connection={connection} storage={window.localStorage} /></StrictMode>);
