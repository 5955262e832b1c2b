import type { Device, LinkStatus, PairEvent } from "#client/api.gen.ts";
import { NOW } from "./data.ts";

export const device = (over: Partial<Device> = {}): Device => ({
  id: "d1", name: "Chrome on Android", fingerprint: "3f1c 88a0 51de 7b42 0c9e 64f7 a2d5 19b8", scopes: ["view", "run"], online: true,
  paired_at: NOW - 3 * 86_400_000, last_seen_at: NOW - 10_000, ...over,
});
export const devices: Device[] = [
  device(),
  device({ id: "d2", name: "Safari on iPad", fingerprint: "9a02 4c1d e830 5577 b1c6 2f94 08ae d36b", scopes: ["view", "files", "edit", "run", "approve", "type"], online: false, last_seen_at: NOW - 26 * 3_600_000 }),
];
export const link = (over: Partial<LinkStatus> = {}): LinkStatus => ({
  state: "online", server: "https://plans.example", name: "lab", fingerprint: "c41a 07be 9d33 f608 25e7 81cc 40fa 6e92", ...over,
});

/** A pattern like a code's: three finders and noise that never changes. */
function squares(): string[] {
  const size = 37;
  const finder = (x: number, y: number) => {
    for (const [fx, fy] of [[0, 0], [size - 7, 0], [0, size - 7]] as const) {
      const [dx, dy] = [x - fx, y - fy];
      if (dx < -1 || dx > 7 || dy < -1 || dy > 7) continue;
      const ring = Math.max(Math.abs(dx - 3), Math.abs(dy - 3));
      return ring === 3 || ring <= 1 ? "1" : "0";
    }
    return undefined;
  };
  return Array.from({ length: size }, (_, y) =>
    Array.from({ length: size }, (_, x) => finder(x, y) ?? (((x * 7919 + y * 104_729 + x * y * 31) >> 3) % 2 === 0 ? "1" : "0")).join(""));
}

export const offered = (): PairEvent => ({
  kind: "offered", pairing: "pair1", url: "https://plans.example/phone#v1.aaaa.bbbb",
  words: ["ripple", "amber", "castle", "orbit", "velvet", "lemon", "north", "gadget", "piano", "slice", "tunnel", "zebra"],
  code: squares(), expires_at: Date.now() + 118_000,
});
export const arrived = (name: boolean | string): PairEvent => ({ kind: "arrived", name: typeof name === "string" ? name : "Chrome on Android", fingerprint: device().fingerprint, tries: 3 });
