// A question that needs a reason before something is done to a patient's record.
import { Button, Modal, Textarea } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { sayFailure } from "../api/failure";
import { Notice } from "./Notice";
import classes from "./ReasonDialog.module.css";

interface ReasonDialogProps {
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly title: string;
  readonly children: ReactNode;
  readonly action: string;
  readonly danger?: boolean;
  readonly pending: boolean;
  readonly failure: unknown;
  /** False while something else in the dialog is missing. */
  readonly ready?: boolean;
  readonly onConfirm: (reason: string) => void;
}

export function ReasonDialog(props: ReasonDialogProps) {
  const {
    opened,
    onClose,
    title,
    children,
    action,
    danger = false,
    pending,
    failure,
    ready = true,
    onConfirm,
  } = props;
  const [reason, setReason] = useState("");
  return (
    <Modal opened={opened} onClose={onClose} title={title} size="lg">
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          onConfirm(reason.trim());
        }}
      >
        {children}
        <Textarea
          label="Reason"
          description="It stays in the record"
          required
          minLength={3}
          maxLength={500}
          rows={2}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {failure != null && <Notice kind="bad">{sayFailure(failure)}</Notice>}
        <div className={classes.steps}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            type="submit"
            loading={pending}
            disabled={!ready || reason.trim().length < 3}
            {...(danger && { color: "red.8" })}
          >
            {action}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
