import { useState } from "react";
import { Actions, Button } from "#kit/core.tsx";
import { Sheet, toasts } from "#kit/overlays.tsx";
import { CopyButton, Note } from "#kit/states.tsx";
import { Names, Seen } from "#kit/values.tsx";
import { asApiError, useEngine, useMay, useTask } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { usePref } from "../../prefs.ts";
import { sentence, w } from "../../words.ts";
import { Choice } from "./Choice.tsx";
import { PromptDiff, TextDiff } from "./Diff.tsx";
import css from "./settings.module.css";
import { TextEditor } from "./TextEditor.tsx";
import { hashOf, isOutdated, NO_TEXT, pathOf, restOf, textDraft, type Entry, type OwnText, type TextDraft, type TextKind } from "./texts.ts";
import { useStoring } from "./useTexts.ts";

interface TextSheetProps {
  kind: TextKind;
  project: string;
  entry: Entry;
  /** Reads the list anew. */
  again(): Promise<void>;
  onClose(): void;
}

/** One prompt or template: what is used, a file that nobody trusts, how they differ, and one's own text. */
export function TextSheet({ kind, project, entry, again, onClose }: TextSheetProps) {
  const { prefs } = useEngine();
  const may = useMay("account");
  const key = textDraft(kind, project, entry.name);
  const [draft, setDraft] = usePref<TextDraft | undefined>(prefs, key, undefined);
  const [side, setSide] = useState<"used" | "file">(entry.untrusted && draft === undefined ? "file" : "used");
  const words = w.settings.texts;
  // What is being written has its side also where nothing is used any more: no file takes its place unasked.
  const writing = may ? draft : undefined;
  const own = entry.used !== undefined || writing !== undefined;
  const at = !entry.untrusted ? "used" : own ? side : "file";
  const sides = entry.used ? words.sides : { ...words.sides, used: words.own };
  const stored = (sent: string, from: string) => setDraft(restOf(prefs.get<TextDraft | undefined>(key, undefined)?.text ?? sent, sent, from));
  return (
    <Sheet title={entry.name} close={w.close} open onClose={onClose} wide>
      {entry.about !== "" && <p className="quiet"><Names text={entry.about} /></p>}
      {entry.untrusted && own && <Choice<"used" | "file"> name="side" label={words.which} options={["used", "file"] as const} texts={sides} value={at} set={setSide} />}
      {at === "file" && entry.untrusted && <FilePart kind={kind} project={project} file={entry.untrusted} used={entry.used} again={again} />}
      {at === "used" && writing && <TextEditor kind={kind} project={project} name={entry.name} used={entry.used ?? NO_TEXT} gone={!entry.used} draft={writing} setDraft={setDraft} stored={stored} again={again} />}
      {at === "used" && !writing && entry.used && <UsedPart kind={kind} project={project} used={entry.used} edit={() => setDraft({ text: entry.used?.text ?? "", from: entry.used?.text ?? "" })} />}
    </Sheet>
  );
}

/** The text exactly as it is: nothing of it is markup, and what would not be seen is. */
function Text({ text, label }: { text: string; label: string }) {
  return <div className={css.text} role="region" aria-label={label} tabIndex={0}><Seen text={text} /></div>;
}

function originText(kind: TextKind, text: OwnText): string {
  const words = w.settings.texts.origin;
  if (text.origin === "own") return text.made_from === undefined ? words.own : words.ownFrom(text.made_from);
  if (text.origin === "file") return words.file(pathOf(kind, text.name));
  return text.version === undefined ? words.builtIn : words.builtInVersion(text.version);
}

interface UsedProps {
  kind: TextKind;
  project: string;
  used: OwnText;
  edit(): void;
}

function UsedPart({ kind, project, used, edit }: UsedProps) {
  const may = useMay("account");
  const task = useTask();
  const { save, trust } = useStoring(kind, project);
  const [view, setView] = useState<"text" | "diff">("text");
  const words = w.settings.texts;
  // Of a template the built-in text is not told where another is used, so that there is nothing to compare with.
  const compares = kind === "prompts" && used.origin !== "built_in";
  const reset = () =>
    task.run(async () => {
      const { name, text, origin, hash } = used;
      const now = await (origin === "own" ? save(name, undefined, hash) : trust(name, undefined));
      const back = () => (origin === "own" ? save(name, text, hashOf(now, name)) : trust(name, hash));
      toasts.add({
        title: origin === "own" ? words.takenBack : words.trustedNoMore,
        actionProps: { children: w.undo, onClick: () => void back().catch((error: unknown) => toasts.add({ title: sentence(asApiError(error)) })) },
      });
    });
  return (
    <>
      <div className={css.between}>
        <p>{originText(kind, used)}</p>
        {compares && <Choice<"text" | "diff"> name="view" label={words.view} options={["text", "diff"] as const} texts={words.views} value={view} set={setView} />}
      </div>
      {isOutdated(used) && <Note tone="warning"><p>{words.outdated(used.made_from ?? 0, used.version ?? 0)}</p></Note>}
      {compares && view === "diff" ? <PromptDiff key={used.text} project={project} name={used.name} untrusted={false} /> : <Text text={used.text} label={words.text} />}
      <ErrorNote error={task.error} />
      <Actions>
        {may && <Button look="primary" onClick={edit}>{used.origin === "own" ? words.edit : words.write}</Button>}
        {may && used.origin === "own" && <Button disabled={task.busy} onClick={reset}>{words.reset}</Button>}
        {may && used.origin === "file" && <Button disabled={task.busy} onClick={reset}>{words.distrust}</Button>}
        <CopyButton text={used.text} words={{ copy: w.error.copy, copied: w.error.copied }} />
      </Actions>
      {!may && <p className="quiet">{w.settings.here}</p>}
    </>
  );
}

interface FileProps {
  kind: TextKind;
  project: string;
  file: OwnText;
  used: OwnText | undefined;
  again(): Promise<void>;
}

/** A file that nobody trusts. What is shown is never exchanged for another text before somebody is told. */
function FilePart({ kind, project, file, used, again }: FileProps) {
  const may = useMay("account");
  const task = useTask();
  const { trust } = useStoring(kind, project);
  const [shown, setShown] = useState(file);
  const [refused, setRefused] = useState(false);
  /** Whether the comparison that is shown was read since it is shown. */
  const [compared, setCompared] = useState(false);
  const [view, setView] = useState<"text" | "diff">("text");
  const words = w.settings.texts;
  const changed = file.hash !== shown.hash;
  const compares = kind === "prompts" || used !== undefined;
  const give = () =>
    task.run(async () => {
      try {
        await trust(shown.name, shown.hash);
        toasts.add({ title: used?.origin === "own" ? words.trustedOwn : words.trusted });
      } catch (error) {
        if (asApiError(error).code !== "conflict") throw error;
        await again();
        setRefused(true);
      }
    });
  const turn = (next: "text" | "diff") => {
    setView(next);
    setCompared(false);
    // The engine compares the file as it is now; whether that is still what is shown is seen by reading it.
    if (next === "diff") void again();
  };
  const look = () => {
    setShown(file);
    setCompared(false);
    setRefused(false);
  };
  return (
    <>
      <Note tone="warning"><p>{words.untrusted(pathOf(kind, file.name))}</p></Note>
      {compares && (
        <Choice<"text" | "diff"> name="view" label={words.view} options={["text", "diff"] as const} texts={kind === "prompts" ? words.views : words.viewsUsed} value={view} set={turn} />
      )}
      {compares && view === "diff"
        ? kind === "prompts" ? <PromptDiff key={`${shown.hash} ${refused && !changed}`} project={project} name={shown.name} untrusted fresh={setCompared} /> : <TextDiff before={used?.text ?? ""} after={shown.text} />
        : <Text text={shown.text} label={words.text} />}
      <p className={css.small}>{words.hash} <code>{shown.hash}</code></p>
      {(changed || refused) && (
        <Note tone="error" live>
          <p>{refused ? words.refused : words.fileChanged}</p>
          {changed && <Actions><Button onClick={look}>{words.showNew}</Button></Actions>}
        </Note>
      )}
      <ErrorNote error={task.error} />
      {may ? <Actions><Button look="primary" reason={changed ? words.lookFirst : compares && view === "diff" && kind === "prompts" && !compared ? words.compareFirst : undefined} disabled={task.busy} onClick={give}>{words.trust}</Button></Actions> : <p className="quiet">{w.settings.here}</p>}
    </>
  );
}
