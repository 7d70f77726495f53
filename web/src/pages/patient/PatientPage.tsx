// One patient: who, every recording, and what may be done to the record as a whole.
import { Button, Checkbox, Menu, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { api, done } from "../../api/client";
import { queries } from "../../api/queries";
import type { HeldRecording, PatientBanner, WorklistRow } from "../../api/types";
import { may } from "../../app/permissions";
import { useSession } from "../../app/session";
import { bySeverity, countText, patientName } from "../../app/words";
import { MoreIcon } from "../../ui/icons";
import { AcquiredMoment, Ago } from "../../ui/Moment";
import { Notice } from "../../ui/Notice";
import { TableFrame, useTitle } from "../../ui/Page";
import { PatientFinder } from "../../ui/PatientFinder";
import { PatientHead } from "../../ui/PatientHead";
import { ReasonDialog } from "../../ui/ReasonDialog";
import { FlagMark } from "../../ui/Severity";
import { Empty, Failed, Loading } from "../../ui/States";
import classes from "./Patient.module.css";

export default function PatientPage() {
  useTitle("Patient");
  const { id = "" } = useParams();
  const patient = useQuery({ ...queries.patient(id), refetchOnWindowFocus: false });
  const { session } = useSession();
  const [dialog, setDialog] = useState<"merge" | "unmerge" | "erase" | undefined>(undefined);
  if (patient.data === undefined) {
    return (
      <>
        <h1 className="hidden">Patient</h1>
        {patient.isPending ? (
          <Loading what="patient" />
        ) : (
          <Failed what="patient" failure={patient.error} retry={() => void patient.refetch()} />
        )}
      </>
    );
  }
  const { patient: banner, merged_into, merged_from, recordings } = patient.data;
  const canMerge = may(session, "merge-patients");
  const canErase = may(session, "erase-patient");
  const close = () => setDialog(undefined);
  return (
    <div className={classes.page}>
      <PatientHead patient={banner}>
        {(canMerge || canErase) && (
          <Menu>
            <Menu.Target>
              <Button size="compact-md" fz="sm" variant="default" leftSection={<MoreIcon />}>
                Record
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              {canMerge && merged_into == null && (
                <Menu.Item onClick={() => setDialog("merge")}>Merge into another patient…</Menu.Item>
              )}
              {canMerge && merged_into != null && (
                <Menu.Item onClick={() => setDialog("unmerge")}>Undo the merge…</Menu.Item>
              )}
              {canErase && (
                <Menu.Item color="red" onClick={() => setDialog("erase")}>
                  Erase this patient…
                </Menu.Item>
              )}
            </Menu.Dropdown>
          </Menu>
        )}
      </PatientHead>
      <div className={classes.body}>
        {merged_into != null && (
          <Notice kind="note">
            This record was merged into <Link to={`/patients/${merged_into}`}>another patient</Link>. Its
            recordings are listed there too.
          </Notice>
        )}
        {merged_from.length > 0 && (
          <Notice kind="note">
            {countText(merged_from.length, "other record")} merged into this one:{" "}
            {merged_from.map((from, index) => (
              <span key={from}>
                {index > 0 && ", "}
                <Link to={`/patients/${from}`}>record {index + 1}</Link>
              </span>
            ))}
          </Notice>
        )}
        <h2>{countText(recordings.length, "recording")}</h2>
        {recordings.length === 0 ? (
          <Empty title="No recordings">
            <p>None is filed under this patient.</p>
          </Empty>
        ) : (
          <Recordings rows={recordings} />
        )}
      </div>
      <MergeDialog patient={banner} opened={dialog === "merge"} onClose={close} />
      <UnmergeDialog patient={banner} opened={dialog === "unmerge"} onClose={close} />
      <EraseDialog
        patient={banner}
        recordings={recordings.length}
        opened={dialog === "erase"}
        onClose={close}
      />
    </div>
  );
}

function Recordings({ rows }: { rows: readonly WorklistRow[] }) {
  return (
    <TableFrame label="Recordings of this patient">
      <thead>
        <tr>
          <th scope="col">Acquired</th>
          <th scope="col" className="num">
            Rate
          </th>
          <th scope="col">Flags</th>
          <th scope="col">Site</th>
          <th scope="col">Received</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.recording_id}>
            <td>
              <Link to={`/recordings/${row.recording_id}`}>
                <AcquiredMoment acquired={row.acquired} />
              </Link>
            </td>
            <td className="num nowrap">
              {row.heart_rate_bpm == null ? "–" : `${Math.round(row.heart_rate_bpm)} /min`}
            </td>
            <td>
              <span className={classes.flags}>
                {row.flags.length === 0 && <span className="quiet">No flag</span>}
                {bySeverity(row.flags).map((flag) => (
                  <FlagMark key={flag.code} {...flag} />
                ))}
              </span>
            </td>
            <td>{row.site?.name ?? <span className="quiet">Not stated</span>}</td>
            <td className="nowrap">
              <Ago at={row.received_at} />
            </td>
          </tr>
        ))}
      </tbody>
    </TableFrame>
  );
}

interface DialogProps {
  readonly patient: PatientBanner;
  readonly opened: boolean;
  readonly onClose: () => void;
}

function useRecordChange(patient: PatientBanner, onClose: () => void) {
  const queryClient = useQueryClient();
  return async () => {
    onClose();
    await Promise.all([
      queryClient.invalidateQueries({ queryKey: ["patient"] }),
      queryClient.invalidateQueries({ queryKey: ["worklist"] }),
      queryClient.invalidateQueries({ queryKey: ["patients"] }),
      queryClient.invalidateQueries({ queryKey: ["recording"] }),
    ]);
    return patient;
  };
}

function MergeDialog({ patient, opened, onClose }: DialogProps) {
  const [into, setInto] = useState<PatientBanner | undefined>(undefined);
  const changed = useRecordChange(patient, onClose);
  const merge = useMutation({
    mutationFn: (reason: string) =>
      done(
        api.POST("/api/patients/{id}/merge", {
          params: { path: { id: patient.id } },
          body: { into: into?.id ?? "", reason },
        }),
      ),
    onSuccess: changed,
  });
  return (
    <ReasonDialog
      opened={opened}
      onClose={onClose}
      title="Merge two records of one person"
      action={into === undefined ? "Merge" : `Merge into ${patientName(into)}`}
      ready={into !== undefined}
      pending={merge.isPending}
      failure={merge.error}
      onConfirm={(reason) => merge.mutate(reason)}
    >
      <p>
        The recordings of this record will also be shown under the other one. It can be undone; both records
        stay as they are.
      </p>
      {into === undefined ? (
        <PatientFinder label="Merge into" except={patient.id} initial={patient.family ?? ""}>
          {(found, about) => (
            <button type="button" onClick={() => setInto(found)}>
              {about}
            </button>
          )}
        </PatientFinder>
      ) : (
        <>
          <div className={classes.pair}>
            <Who title="This record" patient={patient} />
            <Who title="Goes into" patient={into} />
          </div>
          <Button variant="default" size="compact-sm" onClick={() => setInto(undefined)}>
            Choose another
          </Button>
        </>
      )}
    </ReasonDialog>
  );
}

function Who({ title, patient }: { title: string; patient: PatientBanner }) {
  return (
    <div className={classes.who}>
      <h3>{title}</h3>
      <p>
        <strong>{patientName(patient)}</strong>
      </p>
      <p>Born {patient.birth_date ?? "not known"}</p>
      <p>{patient.sex ?? "Sex not known"}</p>
      {patient.identifiers.map(({ system, authority, value }) => (
        <p key={`${system}|${value}`}>
          {value} <span className="quiet small">{authority}</span>
        </p>
      ))}
    </div>
  );
}

function UnmergeDialog({ patient, opened, onClose }: DialogProps) {
  const changed = useRecordChange(patient, onClose);
  const unmerge = useMutation({
    mutationFn: (reason: string) =>
      done(
        api.POST("/api/patients/{id}/unmerge", { params: { path: { id: patient.id } }, body: { reason } }),
      ),
    onSuccess: changed,
  });
  return (
    <ReasonDialog
      opened={opened}
      onClose={onClose}
      title="Undo the merge"
      action={`Separate ${patientName(patient)} again`}
      pending={unmerge.isPending}
      failure={unmerge.error}
      onConfirm={(reason) => unmerge.mutate(reason)}
    >
      <p>This record stands on its own again, with the recordings that were filed under it.</p>
    </ReasonDialog>
  );
}

const NAMED_BY: Record<HeldRecording["named_by"], string> = {
  "once-theirs": "Was theirs and was taken back",
  "same-identifier": "Carries one of their identifiers",
  "same-name": "Carries their family name",
};

function EraseDialog({ patient, recordings, opened, onClose }: DialogProps & { recordings: number }) {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const [typed, setTyped] = useState("");
  const [also, setAlso] = useState<string[]>([]);
  const held = useQuery({ ...queries.heldNaming(patient.id), enabled: opened });
  const name = patientName(patient);
  const family = patient.family ?? "";
  const erase = useMutation({
    mutationFn: (reason: string) =>
      done(
        api.POST("/api/patients/{id}/erase", {
          params: { path: { id: patient.id } },
          body: { reason, confirm_family: typed.trim(), also },
        }),
      ),
    onSuccess: () => {
      queryClient.clear();
      navigate("/", { replace: true });
    },
  });
  return (
    <ReasonDialog
      opened={opened}
      onClose={onClose}
      title={`Erase ${name}?`}
      action={`Erase ${name} for ever`}
      danger
      ready={typed.trim() === family && held.isSuccess}
      pending={erase.isPending}
      failure={erase.error ?? held.error}
      onConfirm={(reason) => erase.mutate(reason)}
    >
      <Notice kind="bad">
        The key of {name}, born {patient.birth_date ?? "on an unknown day"}, is destroyed. Name, identifiers,{" "}
        {countText(recordings, "recording")} and their originals can then be read by nobody, for ever. This
        cannot be undone.
      </Notice>
      {held.data !== undefined && held.data.recordings.length > 0 && (
        <Checkbox.Group
          label={`${countText(held.data.recordings.length, "recording")} on hold may be theirs and stay unless ticked`}
          description="Look at each first: with the same number or name it may be somebody else's."
          value={also}
          onChange={setAlso}
        >
          {held.data.recordings.map((recording) => (
            <Checkbox
              key={recording.id}
              value={recording.id}
              mt="xs"
              label={
                <>
                  {NAMED_BY[recording.named_by]}, received <Ago at={recording.received_at} />
                </>
              }
            />
          ))}
        </Checkbox.Group>
      )}
      <TextInput
        label={
          family === ""
            ? "The patient has no family name; leave this empty"
            : `Type the family name, ${family}`
        }
        autoComplete="off"
        spellCheck={false}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
    </ReasonDialog>
  );
}
