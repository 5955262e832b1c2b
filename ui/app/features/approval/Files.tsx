import { ChevronRight, RefreshCw } from "lucide-react";
import { useState } from "react";
import type { Manifest, ManifestFile } from "#client/api.gen.ts";
import { Button, Checkbox, Pill } from "#kit/core.tsx";
import { bytes } from "#kit/format.ts";
import { Names, Path, Tokens } from "#kit/values.tsx";
import { w } from "../../words.ts";
import css from "./approval.module.css";
import { ExactText } from "./ExactText.tsx";
import type { Approval } from "./useApproval.ts";

const FEW = 4;

/** Each file with its tokens and its reason; unticking one counts everything again. */
export function Files({ approval, manifest }: { approval: Approval; manifest: Manifest }) {
  const open = manifest.state === "waiting";
  const changed = manifest.files.some((f) => f.changed);
  const left = manifest.left_out.filter((path) => !manifest.files.some((f) => f.path === path));
  const tick = (path: string, on: boolean) =>
    approval.revise({ files: on ? [...approval.files, path] : approval.files.filter((p) => p !== path) });
  if (manifest.files.length + approval.files.length + left.length === 0) return null;
  return (
    <section className={css.section}>
      <div className={css.sectionHead}>
        <h3>{w.approve.files}</h3>
        <span>{w.files.total(approval.files.length, manifest.files.length + left.length)}</span>
        {open && changed && (
          <Button onClick={() => approval.revise({ files: approval.files })}><RefreshCw size={14} aria-hidden="true" />{w.approve.readAgain}</Button>
        )}
      </div>
      <ul className={css.files}>
        {manifest.files.map((file) => (
          <FileRow key={file.path} approval={manifest.id} file={file} on={approval.files.includes(file.path)} open={open} tick={tick} />
        ))}
      </ul>
      {open && left.length > 0 && <LeftOut key={manifest.job} paths={left} ticked={approval.files} tick={tick} />}
    </section>
  );
}

/** Files that were ranked and are not sent: folded away, since there may be many. */
function LeftOut({ paths, ticked, tick }: { paths: string[]; ticked: string[]; tick(path: string, on: boolean): void }) {
  const [open, setOpen] = useState(paths.length <= FEW);
  return (
    <>
      {paths.length > FEW && (
        <Button look="plain" className={css.foldButton} aria-expanded={open} onClick={() => setOpen(!open)}>
          <ChevronRight size={14} aria-hidden="true" className={open ? css.turned : undefined} />
          {w.approve.leftOut(paths.length)}
        </Button>
      )}
      {open && (
        <ul className={css.files} aria-label={w.approve.leftOut(paths.length)}>
          {paths.map((path) => (
            <li key={path} className={css.file}>
              <Checkbox aria-label={w.files.tick(path)} checked={ticked.includes(path)} onChange={(e) => tick(path, e.target.checked)} />
              <span className={css.leftOut}><Path path={path} /></span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

interface RowProps {
  approval: string;
  file: ManifestFile;
  on: boolean;
  open: boolean;
  tick(path: string, on: boolean): void;
}

function FileRow({ approval, file, on, open, tick }: RowProps) {
  return (
    <li className={css.file}>
      {open && <Checkbox aria-label={w.files.tick(file.path)} checked={on} onChange={(e) => tick(file.path, e.target.checked)} />}
      <details className={css.fold}>
        <summary>
          <ChevronRight size={14} aria-hidden="true" />
          <span className={css.fileMain}>
            <Path path={file.path} />
            {file.changed && <Pill tone="warning">{w.approve.changed}</Pill>}
            <span className={css.reason}><Names text={file.reason} /></span>
          </span>
          <span className={css.figure} title={bytes(file.bytes)}><Tokens n={file.tokens} /></span>
        </summary>
        <ExactText approval={approval} source={file.path} />
      </details>
    </li>
  );
}
