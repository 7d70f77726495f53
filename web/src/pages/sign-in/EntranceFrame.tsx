// The frame of the pages before sign-in.
import type { ReactNode } from "react";
import { Mark } from "../../app/Shell";
import classes from "./Entrance.module.css";

export function EntranceFrame({ children, aside }: { children: ReactNode; aside?: ReactNode }) {
  return (
    <main className={classes.page}>
      <div className={classes.column}>
        <div className={classes.brand}>
          <Mark />
          <span>Precordia</span>
        </div>
        <div className={classes.cards}>
          <div className={classes.card}>{children}</div>
          {aside}
        </div>
        <p className="quiet small">
          Machine measurements and flags support clinicians; they are not a diagnosis and not reviewed.
        </p>
      </div>
    </main>
  );
}
