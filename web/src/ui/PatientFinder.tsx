// Finding a patient by the start of a name or by an identifier; the search goes out by POST.
import { TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { sayFailure } from "../api/failure";
import { queries } from "../api/queries";
import type { PatientBanner } from "../api/types";
import { ageText, patientName } from "../app/words";
import { Notice } from "./Notice";
import classes from "./PatientFinder.module.css";

interface PatientFinderProps {
  readonly label: string;
  readonly initial?: string;
  readonly autoFocus?: boolean;
  /** Not offered: the patient that the search is made for. */
  readonly except?: string;
  readonly onSearch?: () => void;
  readonly children: (patient: PatientBanner, about: ReactNode) => ReactNode;
}

export function PatientFinder({
  label,
  initial = "",
  autoFocus = false,
  except,
  onSearch,
  children,
}: PatientFinderProps) {
  const [text, setText] = useState(initial);
  const [asked, setAsked] = useState(initial.trim());
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text.trim()), 250);
    return () => clearTimeout(timer);
  }, [text]);
  const found = useQuery(queries.patients(asked));
  const patients = asked.length < 2 ? undefined : found.data?.patients.filter(({ id }) => id !== except);
  return (
    <div className={classes.finder}>
      <TextInput
        label={label}
        description="Start of a name, or an identifier"
        type="search"
        autoComplete="off"
        spellCheck={false}
        {...(autoFocus && { "data-autofocus": true, autoFocus: true })}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          onSearch?.();
        }}
      />
      {found.isError && <Notice kind="bad">{sayFailure(found.error)}</Notice>}
      {patients !== undefined && (
        <ul className={classes.found} aria-label="Patients found">
          {patients.map((patient) => (
            <li key={patient.id}>{children(patient, <About patient={patient} />)}</li>
          ))}
          {found.data?.truncated && (
            <li className={classes.none}>More patients may fit than are shown. Give more of the name.</li>
          )}
          {patients.length === 0 && <li className={classes.none}>No patient fits. Try less of the name.</li>}
        </ul>
      )}
    </div>
  );
}

function About({ patient }: { patient: PatientBanner }) {
  return (
    <>
      <strong className={classes.name}>{patientName(patient)}</strong>
      <span className="quiet">
        {patient.birth_date ?? "birth date not known"} · {ageText(patient.age_years)} ·{" "}
        {patient.sex ?? "sex not known"}
        {patient.identifiers.map(({ authority, value }) => ` · ${value} (${authority})`).join("")}
      </span>
    </>
  );
}
