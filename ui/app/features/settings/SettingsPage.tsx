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
  const here = useInSight(sections);
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
const bring = (section: string): void => headingOf(section)?.closest("section")?.scrollIntoView({ block: "start" });

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

/** The section that one looks at: the last that has begun, and at the page's end the last of all. */
function useInSight(sections: RefObject<HTMLDivElement | null>): SettingsSection {
  const [here, setHere] = useState<SettingsSection>(SECTIONS[0]);
  useEffect(() => {
    const scroller = document.getElementById("main");
    if (!scroller) return;
    const look = () => {
      const top = scroller.getBoundingClientRect().top;
      const begun = SECTIONS.filter((s) => (headingOf(s)?.getBoundingClientRect().top ?? Infinity) - top < LINE);
      const atEnd = scroller.scrollTop > 0 && scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 2;
      setHere((atEnd ? SECTIONS.at(-1) : begun.at(-1)) ?? SECTIONS[0]);
    };
    look();
    scroller.addEventListener("scroll", look, { passive: true });
    const observer = new ResizeObserver(look);
    if (sections.current) observer.observe(sections.current);
    return () => {
      scroller.removeEventListener("scroll", look);
      observer.disconnect();
    };
  }, [sections]);
  return here;
}
