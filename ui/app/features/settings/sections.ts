import { w } from "../../words.ts";

/** The parts of the settings, in the order in which they stand. */
export const SECTIONS = ["permissions", "budgets", "usage", "prompts", "templates"] as const;
export type SettingsSection = (typeof SECTIONS)[number];

export const sectionTitle = (section: SettingsSection): string => w.settings[section].title;
