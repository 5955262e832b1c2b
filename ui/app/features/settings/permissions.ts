import type { Permission } from "#client/api.gen.ts";
import { count } from "#kit/format.ts";
import { w } from "../../words.ts";

/** Whether one still holds; its time may have run out since it was read. */
export const holds = (permission: Permission, now: number): boolean => permission.holds && permission.expires_at > now;

/** Those that hold, and those that have ended; both begin with the newest. */
export function parted(permissions: Permission[], now: number): { holding: Permission[]; over: Permission[] } {
  return { holding: permissions.filter((p) => holds(p, now)), over: permissions.filter((p) => !holds(p, now)) };
}

/** How long something still holds, rounded down: nothing holds longer than it says. */
export function timeLeft(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return w.settings.permissions.lastMinute;
  const hours = Math.floor(minutes / 60);
  return w.settings.permissions.left(hours >= 2 ? count(hours, "hour") : count(minutes, "minute"));
}

/** Why one does not hold any more. */
export function whyOver({ ended, spent, cap }: Permission): string {
  return ended ?? (spent >= cap ? w.settings.permissions.usedUp : w.settings.permissions.timeUp);
}

/** The door in words; the engine names it `server URL` or `direct URL`. */
export function doorText({ door }: Permission): string {
  const [kind, url] = [door.slice(0, door.indexOf(" ")), door.slice(door.indexOf(" ") + 1)];
  if (kind === "server") return `${w.approve.through} ${url}`;
  return kind === "direct" ? `${w.approve.directly}, ${url}` : door;
}

/** Where requests may go, each model with its providers: `claude-x at anthropic, bedrock`. */
export function places(permission: Permission): { model: string; providers: string[] }[] {
  const found: { model: string; providers: string[] }[] = [];
  for (const { provider, model } of permission.destinations) {
    const known = found.find((f) => f.model === model);
    if (known) known.providers.push(provider);
    else found.push({ model, providers: [provider] });
  }
  return found;
}
