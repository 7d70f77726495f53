// A short message beside what it is about.
import type { ReactNode } from "react";
import classes from "./Notice.module.css";

export function Notice({ kind, children }: { kind: "good" | "bad" | "note"; children: ReactNode }) {
  return (
    <div className={`${classes.notice} ${classes[kind]}`} role={kind === "bad" ? "alert" : "status"}>
      {children}
    </div>
  );
}
