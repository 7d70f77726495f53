// The frame of a page: a title for the window that never names a patient, and a heading that takes
// the focus when the page changes, so that a screen reader starts where the eye does.
import { type ReactNode, useEffect, useRef } from "react";
import classes from "./Page.module.css";

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Precordia`;
    return () => {
      document.title = "Precordia";
    };
  }, [title]);
}

interface PageProps {
  readonly title: string;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  /** A line under the heading: what this page is for. */
  readonly about?: ReactNode;
}

/** A page that scrolls as a whole: lists for administrators, settings. */
export function Page({ title, actions, children, about }: PageProps) {
  useTitle(title);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <div className={classes.scroll}>
      <div className={classes.page}>
        <div className={classes.head}>
          <div>
            <h1 ref={heading} tabIndex={-1} className={classes.heading}>
              {title}
            </h1>
            {about !== undefined && <p className="quiet">{about}</p>}
          </div>
          {actions !== undefined && <div className={classes.actions}>{actions}</div>}
        </div>
        {children}
      </div>
    </div>
  );
}

/** A table that scrolls sideways in its own frame where a phone is too narrow for it. */
export function TableFrame({ label, children }: { label: string; children: ReactNode }) {
  return (
    <section className={classes.frame} aria-label={label} tabIndex={0}>
      <table className={classes.table}>{children}</table>
    </section>
  );
}
