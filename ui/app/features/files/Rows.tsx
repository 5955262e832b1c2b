import { useLayoutEffect, useRef, useState, type RefObject } from "react";
import type { RankedFile } from "#client/api.gen.ts";
import { Checkbox } from "#kit/core.tsx";
import { plain } from "#kit/invisible.ts";
import { List } from "#kit/list.tsx";
import { Names, Path, Tokens } from "#kit/values.tsx";
import { w } from "../../words.ts";
import css from "./files.module.css";
import type { Include } from "./useInclude.ts";

interface RowsProps {
  title: string;
  files: RankedFile[];
  include: Include;
  scroller: RefObject<HTMLDivElement | null>;
}

/** One of the two lists. */
export function Rows({ title, files, include, scroller }: RowsProps) {
  const own = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);
  useLayoutEffect(() => {
    // What stands above may grow or shrink: the list must know where it begins.
    const look = () => setMargin(own.current?.offsetTop ?? 0);
    look();
    const observer = new ResizeObserver(look);
    for (const part of scroller.current?.children ?? []) observer.observe(part);
    return () => observer.disconnect();
  }, [scroller, files.length]);
  if (files.length === 0) return null;
  const ticked = files.filter(include.ticked).length;
  return (
    <section className={css.group}>
      <div className={css.groupHead}>
        <Checkbox
          aria-label={`${w.files.tickAll}: ${title}`}
          checked={ticked === files.length}
          some={ticked > 0 && ticked < files.length}
          onChange={(e) => include.set(files.map((f) => f.path), e.target.checked)}
        />
        <h3>{title}</h3>
        <span>{w.files.total(ticked, files.length)}</span>
      </div>
      <div ref={own}>
        <List items={files} keyOf={(f) => f.path} estimate={46} label={title} scroller={scroller} margin={margin}>
          {(file) => <FileRow file={file} include={include} />}
        </List>
      </div>
    </section>
  );
}

function FileRow({ file, include }: { file: RankedFile; include: Include }) {
  const on = include.ticked(file);
  return (
    <label className={css.row} data-on={on || undefined}>
      <Checkbox aria-label={w.files.tick(file.path)} checked={on} onChange={(e) => include.set([file.path], e.target.checked)} />
      <span className={css.main}>
        <Path path={file.path} />
        <span className={css.reasons} title={plain(file.reasons.map(reasonText).join("\n").replaceAll("`", ""))}>
          <Names text={file.reasons.length === 0 ? w.files.manual : file.reasons.slice(0, 3).map(reasonText).join(" · ")} />
        </span>
      </span>
      <span className={css.tokens}><Tokens n={file.tokens} exact={false} /></span>
    </label>
  );
}

function reasonText(reason: { detail: string; line?: number }): string {
  const said = reason.line === undefined || /\blines? \d/.test(reason.detail);
  return said ? reason.detail : `${reason.detail}, ${w.files.line(reason.line as number)}`;
}
