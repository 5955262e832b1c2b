import { Select } from "@base-ui/react/select";
import { Check, ChevronsUpDown, TriangleAlert } from "lucide-react";
import type { Model, ModelList } from "#client/api.gen.ts";
import { Button, cx, floor } from "#kit/core.tsx";
import { money } from "#kit/format.ts";
import { plain } from "#kit/invisible.ts";
import kit from "#kit/kit.module.css";
import { Pop } from "#kit/overlays.tsx";
import { Seen } from "#kit/values.tsx";
import { w } from "../../words.ts";
import css from "./account.module.css";

interface PickerProps {
  models: ModelList;
  value: string | undefined;
  onChange(id: string): void;
}

export function priceText(model: Model): string {
  if (model.input_price === undefined || model.output_price === undefined) return w.models.free;
  return w.models.price(money(model.input_price), money(model.output_price));
}

/** Provider, name, price and door of each model; and why others are missing. */
export function ModelPicker({ models, value, onChange }: PickerProps) {
  const current = models.models.find((m) => m.id === value);
  return (
    <div className={css.picker}>
      <Select.Root value={value ?? null} onValueChange={(id) => id !== null && onChange(id)}>
        <Select.Trigger className={cx(kit.button, css.model)} aria-label={plain(`${w.models.label}: ${current ? `${current.name} ${w.models.at} ${current.provider}, ${current.via}` : ""}`)}>
          <span className={css.modelText}>{current ? <><b><Seen text={current.name} /></b> {w.models.at} <Seen text={current.provider} /></> : w.models.label}</span>
          <ChevronsUpDown size={14} aria-hidden="true" />
        </Select.Trigger>
        <Select.Portal container={floor()}>
          <Select.Positioner className={kit.positioner} sideOffset={6} alignItemWithTrigger={false} align="start">
            <Select.Popup className={kit.pop}>
              {models.models.map((m) => (
                <Select.Item key={m.id} value={m.id} className={cx(kit.item, css.option)}>
                  <span className={css.tick}><Select.ItemIndicator><Check size={14} /></Select.ItemIndicator></span>
                  <Select.ItemText>
                    <span className={css.optionText}>
                      <span><b><Seen text={m.name} /></b> {w.models.at} <Seen text={m.provider} /></span>
                      <small><Seen text={m.via} /> · {priceText(m)}</small>
                    </span>
                  </Select.ItemText>
                </Select.Item>
              ))}
            </Select.Popup>
          </Select.Positioner>
        </Select.Portal>
      </Select.Root>
      {models.problems.length > 0 && (
        <Pop
          label={w.models.problems}
          trigger={<Button look="plain" className={css.problem}><TriangleAlert size={16} aria-hidden="true" /><span className="sr">{w.models.problems}: </span>{models.problems.length}</Button>}
        >
          <div className={css.problems}>
            <h3>{w.models.problems}</h3>
            <ul>{models.problems.map((p) => <li key={p}><Seen text={p} /></li>)}</ul>
          </div>
        </Pop>
      )}
    </div>
  );
}
