// A held recording gets its patient. Both identities stand side by side, field by field, and what differs
// says so: the person who decides must not have to compare from memory.
import { Button, Modal, NativeSelect, SegmentedControl, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { api, must } from "../../api/client";
import { sayFailure } from "../../api/failure";
import { queries } from "../../api/queries";
import type { DevicePatient, NewPatient, PatientBanner, RecordingDetail } from "../../api/types";
import { patientName } from "../../app/words";
import { Notice } from "../../ui/Notice";
import { PatientFinder } from "../../ui/PatientFinder";
import classes from "./AssignDialog.module.css";
import { agreement, nameParts, newPatientOf } from "./identity";

interface AssignDialogProps {
  readonly detail: RecordingDetail;
  readonly opened: boolean;
  readonly onClose: () => void;
}

export function AssignDialog({ detail, opened, onClose }: AssignDialogProps) {
  return (
    <Modal opened={opened} onClose={onClose} title="Assign this recording to a patient" size="xl">
      {opened && <Assign detail={detail} onClose={onClose} />}
    </Modal>
  );
}

function Assign({ detail, onClose }: { detail: RecordingDetail; onClose: () => void }) {
  const queryClient = useQueryClient();
  const device = detail.device_patient ?? { id: null, name: null, birth_date: null, sex: null };
  const [way, setWay] = useState<"known" | "new">("known");
  const [chosen, setChosen] = useState<PatientBanner | undefined>(undefined);
  const [fresh, setFresh] = useState<NewPatient>(() => newPatientOf(device));
  const assign = useMutation({
    mutationFn: () =>
      must(
        api.POST("/api/recordings/{id}/assign", {
          params: { path: { id: detail.recording_id } },
          body: way === "known" ? { patient_id: chosen?.id ?? "" } : { new_patient: fresh },
        }),
      ),
    onSuccess: (answer) => {
      queryClient.setQueryData(queries.recording(detail.recording_id).queryKey, answer);
      void queryClient.invalidateQueries({ queryKey: ["worklist"] });
      void queryClient.invalidateQueries({ queryKey: ["history", detail.recording_id] });
      void queryClient.invalidateQueries({ queryKey: ["accesses", detail.recording_id] });
      onClose();
    },
  });
  const shown = way === "known" ? chosen : undefined;
  const ready =
    way === "known" ? chosen !== undefined : (fresh.family ?? "") !== "" || fresh.identifiers.length > 0;
  const who =
    way === "known"
      ? chosen === undefined
        ? "…"
        : patientName(chosen)
      : patientName({ family: fresh.family ?? null, given: fresh.given });
  return (
    <div className={classes.dialog}>
      <SegmentedControl
        value={way}
        onChange={(value) => setWay(value as "known" | "new")}
        data={[
          { value: "known", label: "A patient who is known" },
          { value: "new", label: "A new patient" },
        ]}
        fullWidth
      />
      {way === "known" ? (
        chosen === undefined ? (
          <PatientFinder
            label="Find the patient"
            initial={device.id ?? nameParts(device.name ?? null).family ?? ""}
            autoFocus
          >
            {(patient, about) => (
              <button type="button" onClick={() => setChosen(patient)}>
                {about}
              </button>
            )}
          </PatientFinder>
        ) : (
          <Button variant="default" onClick={() => setChosen(undefined)}>
            Choose another patient
          </Button>
        )
      ) : (
        <NewPatientFields fresh={fresh} onChange={setFresh} />
      )}
      {(way === "new" || chosen !== undefined) && (
        <SideBySide device={device} patient={shown ?? patientOf(fresh)} isNew={way === "new"} />
      )}
      {assign.isError && <Notice kind="bad">{sayFailure(assign.error)}</Notice>}
      <p className="quiet small">It can be taken back later; both are kept in the record.</p>
      <div className={classes.steps}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button disabled={!ready} loading={assign.isPending} onClick={() => assign.mutate()}>
          Assign to {who}
        </Button>
      </div>
    </div>
  );
}

const patientOf = (
  fresh: NewPatient,
): Pick<PatientBanner, "family" | "given" | "birth_date" | "sex" | "identifiers"> => ({
  family: fresh.family ?? null,
  given: fresh.given,
  birth_date: fresh.birth_date ?? null,
  sex: fresh.sex ?? null,
  identifiers: fresh.identifiers.map((one) => ({ ...one, authority: one.system })),
});

interface SideBySideProps {
  readonly device: DevicePatient;
  readonly patient: ReturnType<typeof patientOf>;
  readonly isNew: boolean;
}

function SideBySide({ device, patient, isNew }: SideBySideProps) {
  const rows: {
    field: string;
    said: string | null | undefined;
    known: string | null | undefined;
    same: ReturnType<typeof agreement>;
  }[] = [
    {
      field: "Name",
      said: device.name,
      known: patientName(patient),
      same: agreement.ofName(device.name, patient),
    },
    {
      field: "Birth date",
      said: device.birth_date,
      known: patient.birth_date,
      same: agreement(device.birth_date, patient.birth_date),
    },
    { field: "Sex", said: device.sex, known: patient.sex, same: agreement(device.sex, patient.sex) },
    {
      field: "ID",
      said: device.id,
      known: patient.identifiers.map(({ value }) => value).join(", ") || null,
      same: agreement.ofAny(
        device.id,
        patient.identifiers.map(({ value }) => value),
      ),
    },
  ];
  return (
    <table className={classes.compare}>
      <thead>
        <tr>
          <th scope="col">
            <span className="hidden">Field</span>
          </th>
          <th scope="col">The file says</th>
          <th scope="col">{isNew ? "The new patient" : "The patient"}</th>
          <th scope="col">
            <span className="hidden">Agreement</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ field, said, known, same }) => (
          <tr key={field} data-same={same}>
            <th scope="row">{field}</th>
            <td>{said ?? <span className="quiet">not said</span>}</td>
            <td>{known ?? <span className="quiet">not known</span>}</td>
            <td>{AGREEMENT[same]}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const AGREEMENT: Record<ReturnType<typeof agreement>, ReactNode> = {
  same: <span className={classes.same}>✓ same</span>,
  differs: <span className={classes.differs}>≠ differs</span>,
  open: <span className="quiet">not compared</span>,
};

function NewPatientFields({ fresh, onChange }: { fresh: NewPatient; onChange: (fresh: NewPatient) => void }) {
  const [identifier] = fresh.identifiers;
  const set = (change: Partial<NewPatient>) => onChange({ ...fresh, ...change });
  const setId = (change: { system?: string; value?: string }) => {
    const next = { system: identifier?.system ?? "", value: identifier?.value ?? "", ...change };
    set({ identifiers: next.system === "" && next.value === "" ? [] : [next] });
  };
  return (
    <div className={classes.fields}>
      <TextInput
        label="Family name"
        value={fresh.family ?? ""}
        onChange={(event) => set({ family: event.currentTarget.value || null })}
      />
      <TextInput
        label="Given names"
        value={fresh.given.join(" ")}
        onChange={(event) =>
          set({ given: event.currentTarget.value === "" ? [] : event.currentTarget.value.split(" ") })
        }
      />
      <TextInput
        label="Birth date"
        type="date"
        value={fresh.birth_date ?? ""}
        onChange={(event) => set({ birth_date: event.currentTarget.value || null })}
      />
      <NativeSelect
        label="Sex"
        value={fresh.sex ?? "unknown"}
        onChange={(event) => set({ sex: event.currentTarget.value as NonNullable<NewPatient["sex"]> })}
        data={["female", "male", "other", "unknown"]}
      />
      <TextInput
        label="Identifier"
        value={identifier?.value ?? ""}
        onChange={(event) => setId({ value: event.currentTarget.value })}
      />
      <TextInput
        label="Who assigned it"
        description="The authority as a URI"
        placeholder="urn:oid:… or https://…"
        required={(identifier?.value ?? "") !== ""}
        value={identifier?.system ?? ""}
        onChange={(event) => setId({ system: event.currentTarget.value })}
      />
    </div>
  );
}
