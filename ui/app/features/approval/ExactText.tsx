import { useEffect, useRef, useState } from "react";
import { Code, Skeleton } from "#kit/states.tsx";
import { useRead } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";

/** The exact text as it would be sent, read only once its fold is open. */
export function ExactText({ approval, source }: { approval: string; source: string }) {
  const own = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const fold = own.current?.closest("details");
    const look = () => setOpen(fold?.open ?? false);
    fold?.addEventListener("toggle", look);
    return () => fold?.removeEventListener("toggle", look);
  }, []);
  return <div ref={own}>{open && <Text approval={approval} source={source} />}</div>;
}

function Text({ approval, source }: { approval: string; source: string }) {
  const { value, error } = useRead("approvals.text", { approval, source });
  if (value) return <Code text={value.text} label={source} />;
  return error ? <ErrorNote error={error} /> : <Skeleton rows={4} label={w.loading} />;
}
