import { ChevronRight } from "lucide-react";
import type { Manifest } from "#client/api.gen.ts";
import { bytes } from "#kit/format.ts";
import { Seen, Tokens } from "#kit/values.tsx";
import { w } from "../../words.ts";
import css from "./approval.module.css";
import { ExactText } from "./ExactText.tsx";

/** What a part is called; of several of a kind each has its number. */
export function partName(name: string): string {
  const [, kind, n = ""] = /^(web-finding|plan)-(\d+)$/.exec(name) ?? [];
  if (kind === "web-finding") return w.research.partFinding(n);
  return kind === "plan" ? w.approve.partPlan(n) : w.approve.parts[name] ?? name;
}

/** What goes besides files, each part with its exact text. */
export function AlsoGoes({ manifest }: { manifest: Manifest }) {
  return (
    <section className={css.section}>
      <div className={css.sectionHead}><h3>{w.approve.also}</h3></div>
      <ul className={css.files}>
        {manifest.parts.map((part) => {
          const name = partName(part.name);
          return (
            <li key={part.name} className={css.file}>
              <details className={css.fold}>
                <summary>
                  <ChevronRight size={14} aria-hidden="true" />
                  <span className={css.fileMain}><Seen text={name} /></span>
                  <span className={css.figure} title={bytes(part.bytes)}><Tokens n={part.tokens} /></span>
                </summary>
                <ExactText approval={manifest.id} source={part.name} />
              </details>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
