// The workspace could not even ask who is signed in.
import { Button } from "@mantine/core";
import { sayFailure } from "../api/failure";
import classes from "../ui/States.module.css";

export function StartFailed({ failure, retry }: { failure: unknown; retry: () => void }) {
  return (
    <main className={classes.state} data-state="failed" role="alert">
      <h1>Precordia cannot be reached</h1>
      <div className={classes.words}>
        <p>{sayFailure(failure)}</p>
        <p className="quiet">Recordings that were already acknowledged are safe on the server.</p>
      </div>
      <Button onClick={retry}>Try again</Button>
    </main>
  );
}
