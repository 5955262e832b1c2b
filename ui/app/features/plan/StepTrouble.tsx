import { X } from "lucide-react";
import { useEffect, useRef } from "react";
import type { ApiError } from "#client/rpc.ts";
import { IconButton } from "#kit/core.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";
import css from "./review.module.css";

/** Why something was not done about a step, or about the plan; what is shown beside it is what there is now. */
export function StepTrouble({ error, dismiss }: { error: ApiError | undefined; dismiss(): void }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // The key may have been pressed at the top of a card that is longer than the screen.
    if (error) place.current?.scrollIntoView({ block: "nearest" });
  }, [error]);
  if (!error) return null;
  return (
    <div ref={place} className={css.trouble}>
      <ErrorNote error={error} />
      {error.code === "conflict" && <p className="quiet">{w.review.trouble.newer}</p>}
      <IconButton label={w.review.trouble.dismiss} onClick={dismiss}><X size={16} /></IconButton>
    </div>
  );
}
