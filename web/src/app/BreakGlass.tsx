// Emergency access: asked for with a reason, shown for as long as it lasts, ended with one touch.
import { Button, Modal, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, must } from "../api/client";
import { sayFailure } from "../api/failure";
import { GlassIcon } from "../ui/icons";
import { useNow } from "../ui/Moment";
import { Notice } from "../ui/Notice";
import classes from "./BreakGlass.module.css";
import { useSession } from "./session";

export function BreakGlassDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { replace } = useSession();
  const queries = useQueryClient();
  const [reason, setReason] = useState("");
  const open = useMutation({
    mutationFn: () => must(api.POST("/api/break-glass", { body: { reason: reason.trim() } })),
    onSuccess: (session) => {
      replace(session);
      setReason("");
      onClose();
      void queries.invalidateQueries();
    },
  });
  return (
    <Modal opened={opened} onClose={onClose} title="Emergency access (break glass)">
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          open.mutate();
        }}
      >
        <p>
          For 15 minutes you can read patient data that your role does not show. Your name, the time and the
          reason are logged, shown to others, and reviewed.
        </p>
        <Textarea
          label="Reason"
          description="Why you need to see this now"
          required
          minLength={5}
          maxLength={500}
          autosize={false}
          rows={3}
          data-autofocus
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {open.isError && <Notice kind="bad">{sayFailure(open.error)}</Notice>}
        <div className={classes.steps}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" color="red.8" loading={open.isPending} disabled={reason.trim().length < 5}>
            Open patient data
          </Button>
        </div>
      </form>
    </Modal>
  );
}

export function BreakGlassBanner() {
  const { session } = useSession();
  return session.break_glass == null ? null : <ActiveBanner {...session.break_glass} />;
}

function ActiveBanner({ reason, until }: { reason: string; until: string }) {
  const { replace } = useSession();
  const queries = useQueryClient();
  const left = Math.max(0, Math.ceil((Date.parse(until) - useNow(1000)) / 1000));
  const end = useMutation({
    mutationFn: () => must(api.DELETE("/api/break-glass")),
    onSuccess: (session) => {
      // What was read under it leaves the screen with it.
      queries.clear();
      replace(session);
    },
    // It may have run out on the server first; the session says how things stand.
    onError: () => must(api.GET("/api/session")).then(replace, () => undefined),
  });
  const over = left === 0;
  const { mutate } = end;
  useEffect(() => {
    if (over) mutate();
  }, [over, mutate]);
  const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  return (
    <section className={classes.banner} aria-label="Emergency access">
      <GlassIcon />
      <p>
        <strong>Emergency access</strong> for <span role="timer">{clock}</span> more. Everything you open is
        logged with the reason “{reason}”.
      </p>
      <Button
        size="compact-sm"
        color="dark"
        variant="white"
        loading={end.isPending}
        onClick={() => end.mutate()}
      >
        End now
      </Button>
    </section>
  );
}
