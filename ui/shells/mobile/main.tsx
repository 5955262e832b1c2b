import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { RelayError, systemRandom } from "#client/relay/bytes.ts";
import { Hub, type OpenSocket, type Socket } from "#client/relay/hub.ts";
import { browserStore } from "#client/relay/keys.ts";
import { relayDial } from "#client/relay/link.ts";
import { pair } from "#client/relay/mailbox.ts";
import { enroll } from "#client/relay/server.ts";
import { deviceName, takeCode } from "#app/features/phone/address.ts";
import { PhoneApp } from "#app/features/phone/PhoneApp.tsx";
import type { PhoneWorld } from "#app/features/phone/world.ts";
import "#kit/tokens.css";
import "#kit/base.css";

// Before anything else: the code must not stand in the address while something is loaded or fails.
const code = takeCode(window);
const fetch: typeof window.fetch = (...of) => window.fetch(...of);
const open: OpenSocket = (url, protocols) => {
  try {
    return new WebSocket(url, protocols) as Socket;
  } catch (error) {
    throw new RelayError("unreachable", String(error));
  }
};

const world: PhoneWorld = {
  store: browserStore(),
  storage: window.localStorage,
  origin: window.location.origin,
  code,
  name: deviceName(window.navigator.userAgent),
  random: systemRandom,
  now: Date.now,
  pair: (options) => pair({ ...options, open, random: systemRandom }),
  enroll: (origin, keys, certificate) => enroll(fetch, origin, keys, certificate),
  hub: (origin, device, keys) => new Hub({ origin, device, keys, fetch, open, random: systemRandom, now: Date.now }),
  dial: relayDial,
};

createRoot(document.getElementById("root") as HTMLElement).render(<StrictMode><PhoneApp world={world} /></StrictMode>);

// Where it is not served from its own path, as by a developer's server, there is none.
if (import.meta.env.PROD && "serviceWorker" in window.navigator) {
  window.navigator.serviceWorker.register("/phone/sw.js", { scope: "/phone/" }).catch(() => {
    // Without it the page needs the server to start, and works all the same.
  });
}
