import type { PhoneWorld } from "./world.ts";

const name = (desktop: string) => `plantocode.phone.seen.${desktop}`;

/** Remembers that this desktop was reached. */
export function seen(world: PhoneWorld, desktop: string): void {
  try {
    world.storage.setItem(name(desktop), String(world.now()));
  } catch {
    // Only the time is lost.
  }
}

export function lastSeen(world: PhoneWorld, desktop: string): number | undefined {
  const kept = world.storage.getItem(name(desktop));
  return kept === null ? undefined : Number(kept);
}
