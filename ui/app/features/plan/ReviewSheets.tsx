import type { Plan } from "#client/api.gen.ts";
import { EditSheet } from "./EditSheet.tsx";
import { OverrideSheet } from "./OverrideSheet.tsx";
import type { Reviewing } from "./useReview.ts";
import { VersionsSheet } from "./VersionsSheet.tsx";

/** What floats above a plan while it is reviewed. */
export function ReviewSheets({ plan, reviewing }: { plan: Plan; reviewing: Reviewing }) {
  const { tools } = reviewing;
  if (!tools) return null;
  return (
    <>
      <OverrideSheet step={plan.steps.find((s) => s.id === reviewing.overriding)} onClose={reviewing.stopOverriding} override={(step) => tools.review.override(step)} />
      <EditSheet plan={plan} editing={reviewing.editing} tools={tools} onClose={reviewing.stopEditing} />
      <VersionsSheet plan={plan} tools={tools} first={reviewing.looking} onClose={reviewing.stopLooking} />
    </>
  );
}
