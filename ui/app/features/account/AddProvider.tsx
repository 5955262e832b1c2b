import { useState, type FormEvent } from "react";
import type { ProviderDialect } from "#client/api.gen.ts";
import { Actions, Button, cx, Field } from "#kit/core.tsx";
import kit from "#kit/kit.module.css";
import { useEngine, useTask } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";
import css from "./account.module.css";

const DIALECTS: ProviderDialect[] = ["compatible", "openai", "openai_responses", "anthropic", "gemini", "xai", "openrouter"];

/** A provider of one's own: a URL, and the name of the variable with its key. */
export function AddProvider({ done }: { done(): void }) {
  const { connection } = useEngine();
  const [form, setForm] = useState({ name: "", base_url: "", key_env: "", models: "" });
  const [dialect, setDialect] = useState<ProviderDialect>("compatible");
  const task = useTask();
  const set = (key: keyof typeof form) => (event: { target: { value: string } }) => setForm({ ...form, [key]: event.target.value });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    task.run(async () => {
      const list = await connection.call("models.add_provider", {
        name: form.name.trim(),
        dialect,
        base_url: form.base_url.trim(),
        ...(form.key_env.trim() ? { key_env: form.key_env.trim() } : {}),
        models: form.models.split(",").map((m) => m.trim()).filter(Boolean),
      });
      connection.store.put("models.list", {}, list);
      done();
    });
  };
  return (
    <form className={css.form} onSubmit={submit}>
      <Field label={w.models.name} value={form.name} onChange={set("name")} required placeholder="ollama" />
      <label className={kit.field}>
        <span>{w.models.dialect}</span>
        <select className={cx(kit.input)} value={dialect} onChange={(e) => setDialect(e.target.value as ProviderDialect)}>
          {DIALECTS.map((d) => <option key={d} value={d}>{w.models.dialects[d]}</option>)}
        </select>
      </label>
      <Field label={w.models.url} hint={w.models.urlHint} mono required value={form.base_url} onChange={set("base_url")} placeholder="http://127.0.0.1:11434/v1" />
      <Field label={w.models.models} hint={w.models.modelsHint} mono required value={form.models} onChange={set("models")} placeholder="qwen3-coder" />
      <Field label={w.models.keyEnv} hint={w.models.keyEnvHint} mono value={form.key_env} onChange={set("key_env")} />
      <ErrorNote error={task.error} />
      <Actions>
        <Button type="submit" look="primary" disabled={task.busy}>{w.models.add}</Button>
        <Button look="plain" onClick={done}>{w.cancel}</Button>
      </Actions>
    </form>
  );
}
