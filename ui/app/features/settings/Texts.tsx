import { FileWarning, FolderOpen, Plus } from "lucide-react";
import { useState } from "react";
import { Button, cx, Field, Pill } from "#kit/core.tsx";
import { plain } from "#kit/invisible.ts";
import kit from "#kit/kit.module.css";
import { Sheet } from "#kit/overlays.tsx";
import { Names, Seen } from "#kit/values.tsx";
import { useAction } from "../../actions.tsx";
import { useEngine, useMay, useWhyNot } from "../../engine.tsx";
import { usePref } from "../../prefs.ts";
import { href } from "../../route.ts";
import { useMounted } from "../../useMounted.ts";
import { w } from "../../words.ts";
import { Missing, Section } from "./Section.tsx";
import css from "./settings.module.css";
import { TextEditor } from "./TextEditor.tsx";
import { entriesOf, isOutdated, nameProblem, newDraft, newStored, NO_DRAFT, NO_TEXT, openEntry, textDraft, type Entry, type NewDraft, type TextDraft, type TextKind } from "./texts.ts";
import { TextSheet } from "./TextSheet.tsx";
import { useProject, useTexts } from "./useTexts.ts";

/** The prompts or the templates of a project. */
export function Texts({ kind }: { kind: TextKind }) {
  const { connection, prefs } = useEngine();
  const { projects, error, project, choose } = useProject();
  const texts = useTexts(kind, project?.id);
  const whyNot = useWhyNot("files");
  const may = useMay("account");
  const [open, setOpen] = useState<string>();
  const [making, setMaking] = useState(false);
  const words = w.settings[kind];
  const entries = entriesOf(texts.list ?? []);
  const [draft] = usePref<TextDraft | undefined>(prefs, textDraft(kind, project?.id ?? "", open ?? ""), undefined);
  const entry = openEntry(entries, open, draft !== undefined && may && texts.list !== undefined);
  const make = kind === "templates" && may && project !== undefined && texts.list !== undefined;
  useAction(make ? { id: "template.new", label: w.settings.texts.fresh, run: () => setMaking(true), here: true } : undefined);
  const tools = project && projects && (
    <div className={css.tools}>
      {make && <Button look="plain" onClick={() => setMaking(true)}><Plus size={16} aria-hidden="true" />{w.settings.texts.fresh}</Button>}
      <label className={css.project}>
        <span className="sr">{w.settings.texts.project(words.title)}</span>
        <select className={kit.input} value={project.id} onChange={(e) => choose(e.target.value)}>
          {projects.map((p) => <option key={p.id} value={p.id}>{plain(p.name)}</option>)}
        </select>
      </label>
    </div>
  );
  return (
    <Section id={kind} title={words.title} lead={words.lead} tools={tools}>
      {!projects && <Missing error={error} again={() => void connection.store.refresh("projects.list", {})} rows={3} />}
      {projects?.length === 0 && <p className={css.none}><FolderOpen size={16} aria-hidden="true" /><span>{w.settings.texts.noProject} <a href={href({ page: "home" })}>{w.projects.title}</a></span></p>}
      {project && whyNot !== undefined && <p className={css.none}><span>{whyNot}</span></p>}
      {project && whyNot === undefined && !texts.list && <Missing error={texts.error} again={() => void texts.again()} rows={5} />}
      {entries.length > 0 && <ul className={css.rows} aria-label={words.title}>{entries.map((e) => <li key={e.name}><Row entry={e} open={() => setOpen(e.name)} /></li>)}</ul>}
      {project && entry && <TextSheet key={`${project.id} ${entry.name}`} kind={kind} project={project.id} entry={entry} again={texts.again} onClose={() => setOpen(undefined)} />}
      {project && making && <NewTemplate again={texts.again} project={project.id} taken={entries.map((e) => e.name)} onClose={() => setMaking(false)} more={(name) => { setMaking(false); setOpen(name); }} />}
    </Section>
  );
}

function Row({ entry: { name, about, used, untrusted }, open }: { entry: Entry; open(): void }) {
  const words = w.settings.texts;
  return (
    <button type="button" className={css.textRow} onClick={open}>
      <code className={css.textName}><Seen text={name} /></code>
      <span className={css.textAbout}><Names text={about} /></span>
      <span className={css.marks}>
        {untrusted && <Pill tone="warning"><FileWarning size={12} aria-hidden="true" />{words.marks.untrusted}</Pill>}
        {used && isOutdated(used) && <Pill tone="warning">{words.marks.outdated}</Pill>}
        {used && used.origin !== "built_in" && <Pill tone="accent">{words.marks[used.origin]}</Pill>}
        {used?.origin === "built_in" && <span className={css.small}>{words.marks.built_in}</span>}
      </span>
    </button>
  );
}

interface NewProps {
  project: string;
  taken: string[];
  again(): Promise<void>;
  onClose(): void;
  /** What is written is by now a change of the template of this name. */
  more(name: string): void;
}

/** A template under a name that there is none of. What is written is kept until it is stored or given up. */
function NewTemplate({ project, taken, again, onClose, more }: NewProps) {
  const { prefs } = useEngine();
  const [draft, setDraft] = usePref<NewDraft>(prefs, newDraft(project), NO_DRAFT);
  const mounted = useMounted();
  const words = w.settings.texts;
  const name = draft.name.trim();
  const wrong = nameProblem(name, taken);
  const stored = (sent: string, from: string) => {
    const then = newStored(prefs, project, name, sent, from);
    if (!mounted.current || then === "another") return;
    if (then === "more") more(name);
    else onClose();
  };
  const setText = (next: TextDraft | undefined) => {
    setDraft(next === undefined ? NO_DRAFT : { ...draft, text: next.text });
    if (next === undefined) onClose();
  };
  return (
    <Sheet title={words.fresh} close={w.close} open onClose={onClose} wide>
      <div className={css.editing}>
        <Field label={words.name} mono value={draft.name} onChange={(e) => setDraft({ ...draft, name: e.target.value })} />
        {name !== "" && wrong !== undefined && <p className={cx(kit.hint, css.wrong)} role="status">{wrong}</p>}
        <TextEditor kind="templates" project={project} name={name} used={NO_TEXT} draft={{ text: draft.text, from: "" }} setDraft={setText} stored={stored} again={again} reason={wrong} />
      </div>
    </Sheet>
  );
}
