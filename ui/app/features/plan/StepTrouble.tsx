import { X } from "lucide-react";
import type { ApiError } from "#client/rpc.ts";
import { IconButton } from "#kit/core.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";
import css from "./review.module.css";

/** Why something was not done about a step, or about the plan; what is shown beside it is what there is now. */
export function StepTrouble({ error, dismiss }: { error: ApiError | undefined; dismiss(): void }) {
  if (!error) return null;
  return (
    <div className={css.trouble}>
      <ErrorNote error={error} />
      {error.code === "conflict" && <p className="quiet">{w.review.trouble.newer}</p>}
      <IconButton label={w.review.trouble.dismiss} onClick={dismiss}><X size={16} /></IconButton>
    </div>
  );
}
