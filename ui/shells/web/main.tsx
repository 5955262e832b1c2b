import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Connection } from "#client/connection.ts";
import { socketDial } from "#client/socket.ts";
import { obtainToken } from "#client/ticket.ts";
import { App } from "#app/App.tsx";
import { Door } from "#app/Door.tsx";
import "#kit/tokens.css";
import "#kit/base.css";

const root = createRoot(document.getElementById("root") as HTMLElement);

/** Whether the host answers at all; says nothing about whether it lets this page in. */
async function hostAnswers(): Promise<boolean> {
  try {
    return (await fetch("/icon.svg", { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

const token = await obtainToken(window).catch(() => undefined);
if (token === undefined) {
  root.render(<StrictMode><Door /></StrictMode>);
} else {
  const connection = new Connection(socketDial(`ws://${window.location.host}/api/socket`, token), {
    hostAnswers,
    random: Math.random,
    now: Date.now,
    client: "web 0.1.0",
  });
  root.render(<StrictMode><App connection={connection} storage={window.localStorage} /></StrictMode>);
}
