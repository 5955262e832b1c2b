import { useRef } from "react";
import { completions } from "#client/relay/words.ts";
import { cx } from "#kit/core.tsx";
import kit from "#kit/kit.module.css";
import { w } from "../../words.ts";
import css from "./phone.module.css";

/** What has been typed: whole words, the beginning of the next, and the first that is none of ours. */
export function readWords(typed: string): { count: number; begun: string; unknown: string | undefined } {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const begun = /\s$/.test(typed) ? "" : (words.at(-1) ?? "");
  const whole = begun === "" ? words : words.slice(0, -1);
  const known = (word: string) => completions(word, 1)[0] === word;
  const lastIsWhole = begun !== "" && known(begun);
  const unknown = whole.find((word) => !known(word)) ?? (begun !== "" && completions(begun, 1).length === 0 ? begun : undefined);
  return { count: whole.length + (lastIsWhole ? 1 : 0), begun, unknown };
}

/** Twelve words, with the rest of each offered. */
export function WordsField({ value, onChange }: { value: string; onChange(value: string): void }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const { count, begun, unknown } = readWords(value);
  const offered = begun.length >= 2 ? completions(begun).filter((word) => word !== begun) : [];
  const take = (word: string) => {
    onChange(`${value.slice(0, value.length - begun.length)}${word} `);
    field.current?.focus();
  };
  return (
    <div className={css.wordsField}>
      <label className={kit.field}>
        <span>{w.phone.words}</span>
        <textarea
          ref={field}
          className={cx(kit.input, css.words)}
          rows={3}
          value={value}
          onChange={(e) => onChange(e.target.value)}
          autoCapitalize="off"
          autoCorrect="off"
          autoComplete="off"
          spellCheck={false}
          aria-invalid={unknown !== undefined}
        />
        <span className={kit.hint}>{w.phone.wordsHint}</span>
      </label>
      <p className={css.count} role="status">{unknown === undefined ? w.phone.wordCount(Math.min(12, count)) : w.phone.unknownWord(unknown)}</p>
      {offered.length > 0 && (
        <div className={css.offered} role="group" aria-label={w.phone.offer}>
          {offered.map((word) => <button key={word} type="button" onClick={() => take(word)}>{word}</button>)}
        </div>
      )}
    </div>
  );
}
