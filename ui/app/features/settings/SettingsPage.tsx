import { useEffect, useRef, useState, type RefObject } from "react";
import { cx } from "#kit/core.tsx";
import { href } from "../../route.ts";
import { w } from "../../words.ts";
import { Budgets } from "./Budgets.tsx";
import { Permissions } from "./Permissions.tsx";
import { SECTIONS, sectionTitle, type SettingsSection } from "./sections.ts";
import css from "./settings.module.css";
import { Texts } from "./Texts.tsx";
import { Usage } from "./Usage.tsx";

/** What the engine keeps to. `section` is the part that the address names. */
export function SettingsPage({ section }: { section: string | undefined }) {
  const sections = useRef<HTMLDivElement>(null);
  const nav = useRef<HTMLElement>(null);
  useArrival(section, sections);
  const here = useInSight(section, sections);
  useEffect(() => {
    // On a narrow screen the line of sections is longer than the window: where one is stays in sight.
    const line = nav.current;
    const place = line?.querySelector<HTMLElement>("[aria-current]");
    if (line && place) line.scrollLeft = place.offsetLeft - (line.clientWidth - place.offsetWidth) / 2;
  }, [here]);
  return (
    <div className={css.page}>
      <div className={css.top}>
        <h1>{w.settings.title}</h1>
        <p className="quiet">{w.settings.lead}</p>
      </div>
      <nav ref={nav} className={css.nav} aria-label={w.settings.nav}>
        {SECTIONS.map((s) => (
          <a
            key={s} className={cx(css.place, s === here && css.here)} href={href({ page: "settings", section: s })} aria-current={s === here ? "true" : undefined}
            onClick={() => s === section && arrive(s)}
          >{sectionTitle(s)}</a>
        ))}
      </nav>
      <div ref={sections} className={css.sections}>
        <Permissions />
        <Budgets />
        <Usage />
        <Texts kind="prompts" />
        <Texts kind="templates" />
      </div>
    </div>
  );
}

const headingOf = (section: string): HTMLElement | null => document.getElementById(`settings-${section}`);

/** Only the page is scrolled, never what is around it. */
function bring(section: string): void {
  const scroller = document.getElementById("main");
  const part = headingOf(section)?.closest("section");
  if (!scroller || !part) return;
  const margin = Number.parseFloat(getComputedStyle(part).scrollMarginTop) || 0;
  scroller.scrollTop += part.getBoundingClientRect().top - scroller.getBoundingClientRect().top - margin;
}

/** The focus goes along, so that Tab goes on from there. */
function arrive(section: string): void {
  headingOf(section)?.focus({ preventScroll: true });
  bring(section);
}

/** How long what stands above may go on growing. */
const SETTLE_MS = 3000;

/** Goes to the section of the address, and keeps it there until what stands above is known or the person moves. */
function useArrival(section: string | undefined, sections: RefObject<HTMLDivElement | null>): void {
  useEffect(() => {
    if (section === undefined || !sections.current) return;
    arrive(section);
    const observer = new ResizeObserver(() => bring(section));
    observer.observe(sections.current);
    const stop = () => observer.disconnect();
    const timer = setTimeout(stop, SETTLE_MS);
    const moves = ["wheel", "pointerdown", "keydown", "touchstart"] as const;
    for (const move of moves) window.addEventListener(move, stop, { once: true, passive: true });
    return () => {
      stop();
      clearTimeout(timer);
      for (const move of moves) window.removeEventListener(move, stop);
    };
  }, [section, sections]);
}

/** Below this line a section has not begun yet. */
const LINE = 160;

/** The section that one looks at: the one that was gone to, and once the person scrolls the last that has begun. */
function useInSight(section: string | undefined, sections: RefObject<HTMLDivElement | null>): SettingsSection {
  const [here, setHere] = useState<SettingsSection>(SECTIONS[0]);
  useEffect(() => {
    const scroller = document.getElementById("main");
    if (!scroller) return;
    const named = SECTIONS.find((s) => s === section);
    let held = named !== undefined;
    const look = () => {
      if (named && held) return setHere(named);
      const top = scroller.getBoundingClientRect().top;
      const begun = SECTIONS.filter((s) => (headingOf(s)?.getBoundingClientRect().top ?? Infinity) - top < LINE);
      const atEnd = scroller.scrollTop > 0 && scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 2;
      setHere((atEnd ? SECTIONS.at(-1) : begun.at(-1)) ?? SECTIONS[0]);
    };
    look();
    const moved = () => {
      held = false;
    };
    const moves = ["wheel", "touchmove", "keydown", "pointerdown"] as const;
    for (const move of moves) window.addEventListener(move, moved, { passive: true });
    scroller.addEventListener("scroll", look, { passive: true });
    const observer = new ResizeObserver(look);
    if (sections.current) observer.observe(sections.current);
    return () => {
      for (const move of moves) window.removeEventListener(move, moved);
      scroller.removeEventListener("scroll", look);
      observer.disconnect();
    };
  }, [section, sections]);
  return here;
}
