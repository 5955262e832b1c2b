import { CircleAlert, CloudOff } from "lucide-react";
import { Button } from "#kit/core.tsx";
import { useAfter } from "#kit/states.tsx";
import { useEngine, useLink } from "./engine.tsx";
import css from "./shell.module.css";
import { w } from "./words.ts";

/** A quiet line while the engine is out of reach; everything stays readable below it. */
export function LinkNotice() {
  const { connection } = useEngine();
  const { status } = useLink(connection);
  // Most losses are over before one has noticed.
  const long = useAfter(status === "lost", 2_000);
  if (status === "lost" && !long) return null;
  if (status !== "lost" && status !== "refused") return null;
  const Icon = status === "lost" ? CloudOff : CircleAlert;
  return (
    <div className={css.notice} role="status">
      <Icon size={16} aria-hidden="true" />
      <span>{status === "lost" ? w.link.lostText : w.link.refusedText}</span>
      {status === "lost" && <Button look="plain" onClick={() => connection.redialNow()}>{w.link.now}</Button>}
    </div>
  );
}
