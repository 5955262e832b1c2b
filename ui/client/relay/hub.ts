/** A phone's socket to the hub: registers, resumes, dials again by itself. It carries boxes and cannot open them. */
import { redialDelay } from "../socket.ts";
import { base64, fromBase64, member, number, object, RelayError, type Random } from "./bytes.ts";
import { sign, type DeviceKeys } from "./keys.ts";
import { obtainTicket, registrationProof, type Fetch } from "./server.ts";

const SUBPROTOCOL = "plantocode.link.v1";
const CONNECT_MS = 5_000;
const PONG_MS = 10_000;
const IDLE_MS = 40_000;
const REAUTH_BEFORE_MS = 60_000;
/** Why a registration is refused for good. */
const REFUSALS = new Set(["unauthenticated", "forbidden", "revoked"]);
/** A received box is acknowledged after so many, or with the next heartbeat. */
const ACK_BOXES = 16;
/** What is kept for sending again, in bytes. Beyond it a box is refused. */
const OUTBOX_BYTES = 4 * 1024 * 1024;

/** What is used of a WebSocket, so that a test can give its own. */
export interface Socket {
  binaryType: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(data: string): void;
  close(): void;
}
export type OpenSocket = (url: string, protocols: string[]) => Socket;

/** `refused`: the server no longer knows this phone; dialling again is of no use. */
export type HubStatus = "connecting" | "online" | "lost" | "refused";

export interface HubOptions {
  origin: string;
  /** This phone as the server knows it. */
  device: string;
  keys: DeviceKeys;
  fetch: Fetch;
  open: OpenSocket;
  random: Random;
  now(): number;
}

/** What a link over the hub listens to. */
export interface HubListener {
  box(from: string, bytes: Uint8Array): void;
  frame(bytes: Uint8Array): void;
  /** A box for this device was not taken: it is away, or the hub refuses. */
  undelivered(to: string): void;
  /** Boxes for this phone were lost at the hub. */
  gap(): void;
}

export interface Presence {
  device: string;
  name: string;
  kind: string;
  online: boolean;
}

interface Kept {
  seq: number;
  to: string;
  box: string;
}

export class Hub {
  status: HubStatus = "connecting";
  /** The other devices of the account, as the server tells. */
  readonly presence = new Map<string, Presence>();
  private readonly listeners = new Set<HubListener>();
  private readonly watchers = new Set<() => void>();
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  private socket?: Socket;
  /** Counts dials, so that what a given-up socket or request still says is passed over. */
  private dialled = 0;
  private attempt = 0;
  private closed = false;
  private seq = 0;
  private kept: Kept[] = [];
  private keptBytes = 0;
  private resumeToken?: string;
  private received = 0;
  private acknowledged = 0;

  constructor(private readonly options: HubOptions) {
    void this.dial();
  }

  listen(listener: HubListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  watch = (notify: () => void): (() => void) => {
    this.watchers.add(notify);
    return () => void this.watchers.delete(notify);
  };

  /** Sends a box, now or with the next socket. Throws `refused` when too much waits already. */
  send(to: string, bytes: Uint8Array): void {
    const box = base64(bytes);
    if (this.status === "refused") throw new RelayError("refused", "The server no longer knows this phone.");
    if (this.keptBytes + box.length > OUTBOX_BYTES) throw new RelayError("refused", "Too much waits for the server.");
    const kept = { seq: ++this.seq, to, box };
    this.kept.push(kept);
    this.keptBytes += box.length;
    if (this.status === "online") this.say({ type: "sealed", ...kept });
  }

  /** Dials now: the app became visible or the network came back. A socket that seems to live may be half open. */
  redialNow(): void {
    if (!this.closed && this.status !== "refused") void this.dial();
  }

  /** Redials whenever the page becomes visible or the network returns, until the returned function is called. */
  followPage(page: Document, window: Window): () => void {
    const visible = () => {
      if (page.visibilityState === "visible") this.redialNow();
    };
    const online = () => this.redialNow();
    page.addEventListener("visibilitychange", visible);
    window.addEventListener("online", online);
    return () => {
      page.removeEventListener("visibilitychange", visible);
      window.removeEventListener("online", online);
    };
  }

  close(): void {
    this.closed = true;
    this.dialled += 1;
    this.drop();
  }

  private async dial(): Promise<void> {
    const dial = ++this.dialled;
    this.drop();
    this.set("connecting");
    const { origin, device, keys, fetch, open } = this.options;
    this.after("connect", CONNECT_MS, () => this.lost(dial));
    try {
      const ticket = await obtainTicket(fetch, origin, keys, device);
      if (dial !== this.dialled) return;
      const socket = open(`${origin.replace(/^http/, "ws")}/ws/device-link`, [SUBPROTOCOL, `ticket.${ticket}`]);
      socket.binaryType = "arraybuffer";
      socket.onmessage = ({ data }) => this.heard(dial, data);
      socket.onclose = socket.onerror = () => this.lost(dial);
      this.socket = socket;
    } catch (error) {
      if (dial !== this.dialled) return;
      if (error instanceof RelayError && error.reason === "refused") this.refuse();
      else this.lost(dial);
    }
  }

  private lost(dial: number): void {
    if (dial !== this.dialled || this.closed) return;
    this.dialled += 1;
    this.drop();
    this.set("lost");
    const random = () => (this.options.random(1)[0] ?? 0) / 256;
    this.after("redial", redialDelay(this.attempt++, random), () => void this.dial());
  }

  private refuse(): void {
    this.dialled += 1;
    this.drop();
    this.set("refused");
    // Nothing will be answered any more: open calls fail now instead of waiting.
    this.each((listener) => listener.gap());
  }

  private heard(dial: number, data: unknown): void {
    if (dial !== this.dialled) return;
    try {
      this.after("silence", IDLE_MS, () => this.lost(dial));
      if (data instanceof ArrayBuffer) for (const listener of [...this.listeners]) listener.frame(new Uint8Array(data));
      else if (typeof data === "string") this.envelope(dial, object(data));
    } catch (error) {
      // A hub that writes nonsense is left; an error of ours in a listener must not keep a broken socket either.
      if (!(error instanceof RelayError)) console.error(error);
      this.lost(dial);
    }
  }

  private envelope(dial: number, said: Record<string, unknown>): void {
    switch (said.type) {
      case "challenge":
        return this.register(said);
      case "registered":
        return this.registered(dial, said);
      case "sealed":
        return this.sealed(said);
      case "received":
        return this.confirm(number(said, "upTo"));
      case "presence": {
        const device = member(said, "device");
        this.presence.set(device, { device, name: member(said, "name"), kind: member(said, "kind"), online: said.online === true });
        return this.notify();
      }
      case "gap":
        return this.each((listener) => listener.gap());
      case "goaway":
        return this.after("redial", Math.min(number(said, "afterMs"), 5_000) * ((this.options.random(1)[0] ?? 0) / 256), () => void this.dial());
      case "reauthorized":
        return this.authority(dial, number(said, "expiresInMs"));
      case "revoked":
        return this.refuse();
      case "error":
        return this.refusedSomething(said);
    }
  }

  private register(said: Record<string, unknown>): void {
    const { origin, device, keys } = this.options;
    const nonce = fromBase64(member(said, "nonce"), 32);
    const [account, tokenId, generation] = [member(said, "account"), member(said, "tokenId"), number(said, "generation")];
    const signature = base64(sign(keys, registrationProof({ origin, account, device, generation, nonce, tokenId })));
    const resume = this.resumeToken === undefined ? undefined : { token: this.resumeToken, received: this.received };
    this.say({ type: "register", deviceId: device, kind: "mobile", signature, resume });
  }

  private registered(dial: number, said: Record<string, unknown>): void {
    this.attempt = 0;
    this.stop("connect");
    this.resumeToken = member(said, "resumeToken");
    if (said.resumed === true) this.confirm(number(said, "received"));
    else {
      // What the hub had may come twice; the session at the other end sees it.
      this.seq = 0;
      for (const kept of this.kept) kept.seq = ++this.seq;
      this.received = 0;
    }
    this.acknowledged = this.received;
    this.presence.clear();
    this.set("online");
    for (const kept of [...this.kept]) this.say({ type: "sealed", ...kept });
    this.beat(dial, Math.min(Math.max(number(said, "heartbeatMs"), 1_000), 60_000));
    this.authority(dial, number(said, "expiresInMs"));
  }

  private beat(dial: number, every: number): void {
    this.after("beat", every, () => {
      this.acknowledge();
      this.say({ type: "heartbeat" });
      this.after("silence", PONG_MS, () => this.lost(dial));
      this.beat(dial, every);
    });
  }

  /** Before the ticket's authority ends another one is brought, in band. */
  private authority(dial: number, expiresIn: number): void {
    // Longer waits than this overflow a browser's timer.
    const wait = Math.min(Math.max(expiresIn - REAUTH_BEFORE_MS, expiresIn / 2), 2 ** 31 - 1);
    this.after("reauth", wait, () => {
      const { fetch, origin, keys, device } = this.options;
      obtainTicket(fetch, origin, keys, device).then(
        (credential) => dial === this.dialled && this.say({ type: "reauth", credential }),
        (error: unknown) => dial === this.dialled && error instanceof RelayError && error.reason === "refused" && this.refuse(),
      );
    });
  }

  private sealed(said: Record<string, unknown>): void {
    const n = number(said, "n");
    // The hub sends again what was not acknowledged on the last socket.
    if (n <= this.received) return;
    this.received = n;
    if (n - this.acknowledged >= ACK_BOXES) this.acknowledge();
    const from = member(said, "from");
    const bytes = fromBase64(member(said, "box", 131_072));
    this.each((listener) => listener.box(from, bytes));
  }

  private acknowledge(): void {
    if (this.acknowledged >= this.received) return;
    this.acknowledged = this.received;
    this.say({ type: "ack", upTo: this.received });
  }

  private refusedSomething(said: Record<string, unknown>): void {
    const kept = this.kept.find((k) => k.seq === said.ref);
    if (kept) this.each((listener) => listener.undelivered(kept.to));
    // Before registration an error is the answer to it; others than these may be different the next time.
    else if (this.status === "connecting" && REFUSALS.has(String(said.code))) this.refuse();
  }

  private confirm(upTo: number): void {
    while (this.kept[0] && this.kept[0].seq <= upTo) this.keptBytes -= this.kept.shift()?.box.length ?? 0;
  }

  private each(tell: (listener: HubListener) => void): void {
    for (const listener of [...this.listeners]) tell(listener);
  }

  private say(envelope: object): void {
    this.socket?.send(JSON.stringify(envelope));
  }

  private drop(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    const socket = this.socket;
    this.socket = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null;
    socket.close();
  }

  private after(name: string, ms: number, what: () => void): void {
    this.stop(name);
    this.timers.set(name, setTimeout(what, ms));
  }

  private stop(name: string): void {
    clearTimeout(this.timers.get(name));
    this.timers.delete(name);
  }

  private set(status: HubStatus): void {
    if (this.status === status) return;
    this.status = status;
    this.notify();
  }

  private notify(): void {
    for (const notify of [...this.watchers]) notify();
  }
}
