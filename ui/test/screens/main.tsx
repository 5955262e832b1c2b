import { createRoot } from "react-dom/client";
import { Connection } from "#client/connection.ts";
import { App } from "#app/App.tsx";
import { Door } from "#app/Door.tsx";
import { PhoneApp } from "#app/features/phone/PhoneApp.tsx";
import { FakeEngine, world } from "../fake/engine.ts";
import { phoneWorld } from "../fake/phone.ts";
import { scenarios, type ScenarioName } from "./scenarios.ts";
import "#kit/tokens.css";
import "#kit/base.css";

/** Mounts the interface on an engine in memory, in the state that `?scenario=` names. */
const name = new URLSearchParams(window.location.search).get("scenario") as ScenarioName;
const root = createRoot(document.getElementById("root") as HTMLElement);
const scenario = scenarios[name];
if (scenario?.phone) {
  window.localStorage.clear();
  window.location.hash = scenario.hash;
  root.render(<PhoneApp world={phoneWorld(scenario.phone, new FakeEngine(scenario.world?.() ?? world()))} />);
} else if (!scenario?.world) {
  root.render(<Door />);
} else {
  window.location.hash = scenario.hash;
  const engine = new FakeEngine(scenario.world());
  let cut: (() => void) | undefined;
  let dials = 0;
  const connection = new Connection(
    (handlers) => {
      if (dials++ > 0 && scenario.offline) {
        queueMicrotask(() => handlers.closed());
        return { send: () => {}, close: () => {} };
      }
      const link = engine.dial(handlers);
      cut = () => link.close();
      return link;
    },
    { hostAnswers: () => Promise.resolve(false), random: () => 1, now: Date.now, client: "screens" },
  );
  Object.assign(window, { engine, cut: () => cut?.() });
  window.localStorage.clear();
  for (const [key, value] of Object.entries(scenario.prefs ?? {})) window.localStorage.setItem(`plantocode.fake.${key}`, JSON.stringify(value));
  root.render(<App connection={connection} storage={window.localStorage} />);
  if (scenario.offline) setTimeout(() => cut?.(), 600);
}
