import type { Manifest } from "#client/api.gen.ts";
import { money } from "#kit/format.ts";
import { w } from "../../words.ts";

/** The door in words, as part of the sentence. */
export function door(manifest: Manifest): string {
  if (manifest.door === "direct") return manifest.via || w.approve.directly;
  return manifest.via.startsWith(w.approve.through) ? manifest.via : `${w.approve.through} ${manifest.via}`;
}

/** All places where a request may go, in the order in which they are tried: `claude-x at anthropic, then at bedrock`. */
export function goesTo({ destinations, model }: Pick<Manifest, "destinations" | "model">): string {
  const named = destinations.map((to, i) => {
    const place = `${w.models.at} ${to.provider}`;
    return to.model === destinations[i - 1]?.model ? place : `${to.model} ${place}`;
  });
  return named.length > 0 ? named.join(w.approve.then) : model;
}

/** Nothing charged and nothing known look alike in the ceiling; the estimate tells them apart. */
export function costText(manifest: Manifest): string {
  if (manifest.cost_estimate === undefined) return w.approve.costUnknown;
  const about = `${w.approve.about} ${money(manifest.cost_estimate)}`;
  return manifest.cost_ceiling > 0 ? `${about} (${w.approve.atMost(money(manifest.cost_ceiling))})` : about;
}

/** A plan for the task is what one expects here; what anything else is for is said, also where it makes a plan. */
export const isPlain = (workflow: string, manifest: Manifest): boolean => workflow === "plan" && manifest.purpose === "a plan of the change";
