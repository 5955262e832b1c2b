import css from "./settings.module.css";

interface ChoiceProps<T extends string> {
  name: string;
  label: string;
  options: readonly T[];
  texts: Record<T, string>;
  value: T;
  set(value: T): void;
}

/** A few words of which one holds. */
export function Choice<T extends string>({ name, label, options, texts, value, set }: ChoiceProps<T>) {
  return (
    <fieldset className={css.choice}>
      <legend className="sr">{label}</legend>
      {options.map((option) => (
        <label key={option}>
          <input type="radio" className="sr" name={name} checked={value === option} onChange={() => set(option)} />
          {texts[option]}
        </label>
      ))}
    </fieldset>
  );
}
