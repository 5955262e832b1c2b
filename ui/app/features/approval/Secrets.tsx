import type { Manifest } from "#client/api.gen.ts";
import { Actions, Button, Pill } from "#kit/core.tsx";
import { Note } from "#kit/states.tsx";
import { Seen } from "#kit/values.tsx";
import { w } from "../../words.ts";
import css from "./approval.module.css";
import type { Approval } from "./useApproval.ts";

export const blocking = (manifest: Manifest): boolean => !manifest.redacted && manifest.secrets.some((s) => !s.allowed);

/** Secrets that were found, never the secrets themselves, with the two ways on. */
export function Secrets({ approval, manifest }: { approval: Approval; manifest: Manifest }) {
  if (manifest.secrets.length === 0 && !manifest.redacted) return null;
  const open = manifest.state === "waiting";
  const isFile = (source: string) => manifest.files.some((f) => f.path === source);
  return (
    <Note tone="secret">
      <div className={css.secretHead}>
        <h3>{w.approve.secrets}</h3>
        <span>{manifest.redacted ? w.approve.redacted : blocking(manifest) ? w.approve.secretsBlock : ""}</span>
      </div>
      <ul className={css.secrets}>
        {manifest.secrets.map((s) => (
          <li key={`${s.source}:${s.line}:${s.rule}`}>
            <span className={css.secretText}>
              <b><Seen text={s.description} /></b>
              <code><Seen text={w.approve.secretLine(s.source, s.line)} /></code>
              {s.allowed && <Pill>{w.approve.allowed}</Pill>}
            </span>
            {open && isFile(s.source) && !s.allowed && !manifest.redacted && (
              <Button disabled={approval.busy} onClick={() => approval.revise({ files: approval.files.filter((p) => p !== s.source) })}>{w.approve.leaveOut}</Button>
            )}
          </li>
        ))}
      </ul>
      {open && !manifest.redacted && blocking(manifest) && (
        <Actions><Button disabled={approval.busy} onClick={() => approval.revise({ redact: true })}>{w.approve.redact}</Button></Actions>
      )}
    </Note>
  );
}
