// A recording is taken back from a patient; it is held again, and the reason stays in the record.
import { Button, Modal, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, must } from "../../api/client";
import { sayFailure } from "../../api/failure";
import { queries } from "../../api/queries";
import type { RecordingDetail } from "../../api/types";
import { patientName } from "../../app/words";
import { Notice } from "../../ui/Notice";
import classes from "./AssignDialog.module.css";

interface UnassignDialogProps {
  readonly detail: RecordingDetail;
  readonly opened: boolean;
  readonly onClose: () => void;
}

export function UnassignDialog({ detail, opened, onClose }: UnassignDialogProps) {
  const queryClient = useQueryClient();
  const [reason, setReason] = useState("");
  const unassign = useMutation({
    mutationFn: () =>
      must(
        api.POST("/api/recordings/{id}/unassign", {
          params: { path: { id: detail.recording_id } },
          body: { reason: reason.trim() },
        }),
      ),
    onSuccess: (answer) => {
      queryClient.setQueryData(queries.recording(detail.recording_id).queryKey, answer);
      void queryClient.invalidateQueries({ queryKey: ["worklist"] });
      void queryClient.invalidateQueries({ queryKey: ["history", detail.recording_id] });
      void queryClient.invalidateQueries({ queryKey: ["accesses", detail.recording_id] });
      setReason("");
      onClose();
    },
  });
  return (
    <Modal opened={opened} onClose={onClose} title="Take this recording back">
      <form
        className={classes.dialog}
        onSubmit={(event) => {
          event.preventDefault();
          unassign.mutate();
        }}
      >
        <p>
          It will be held again, without {detail.patient == null ? "a patient" : patientName(detail.patient)},
          until somebody assigns it.
        </p>
        <Textarea
          label="Reason"
          required
          minLength={3}
          maxLength={500}
          rows={2}
          data-autofocus
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {unassign.isError && <Notice kind="bad">{sayFailure(unassign.error)}</Notice>}
        <div className={classes.steps}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={unassign.isPending} disabled={reason.trim().length < 3}>
            Take it back
          </Button>
        </div>
      </form>
    </Modal>
  );
}
