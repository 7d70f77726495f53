// Who this is: name, birth date and age, sex, identifiers with their authority, site. Never cut off,
// never scrolled away, and always from the same answer as what is shown beneath it.
import type { ReactNode } from "react";
import { Link } from "react-router";
import type { DevicePatient, PatientBanner } from "../api/types";
import { ageText, capital, patientName } from "../app/words";
import classes from "./PatientHead.module.css";

interface PatientHeadProps {
  readonly patient: PatientBanner | null | undefined;
  readonly devicePatient?: DevicePatient | null | undefined;
  readonly site?: string | undefined;
  readonly linked?: boolean;
  readonly children?: ReactNode;
}

export function PatientHead({ patient, devicePatient, site, linked = false, children }: PatientHeadProps) {
  if (patient == null) return <UnassignedHead devicePatient={devicePatient} site={site} actions={children} />;
  const name = patientName(patient);
  return (
    <section className={classes.head} aria-label="Patient">
      <h1 className={classes.name}>{linked ? <Link to={`/patients/${patient.id}`}>{name}</Link> : name}</h1>
      <dl className={classes.facts}>
        <Fact term="Born">
          {patient.birth_date ?? "not known"} ({ageText(patient.age_years)})
        </Fact>
        <Fact term="Sex">{patient.sex ?? "not known"}</Fact>
        {patient.identifiers.map(({ system, authority, value }) => (
          <Fact key={`${system}|${value}`} term="ID">
            <strong>{value}</strong> <span className={classes.authority}>{authority}</span>
          </Fact>
        ))}
        {site !== undefined && <Fact term="Site">{site}</Fact>}
      </dl>
      {children !== undefined && <div className={classes.actions}>{children}</div>}
    </section>
  );
}

function UnassignedHead({
  devicePatient,
  site,
  actions,
}: {
  devicePatient: DevicePatient | null | undefined;
  site: string | undefined;
  actions: ReactNode;
}) {
  return (
    <section className={`${classes.head} ${classes.held}`} aria-label="Patient">
      <h1 className={classes.name}>Held: no patient yet</h1>
      <dl className={classes.facts}>
        <Fact term="The device says">{devicePatient?.name ?? "no name"}</Fact>
        <Fact term="Born">{devicePatient?.birth_date ?? "not said"}</Fact>
        <Fact term="Sex">{devicePatient?.sex ?? "not said"}</Fact>
        <Fact term="ID">{devicePatient?.id ?? "not said"}</Fact>
        {site !== undefined && <Fact term="Site">{site}</Fact>}
      </dl>
      {actions != null && <div className={classes.actions}>{actions}</div>}
    </section>
  );
}

function Fact({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div className={classes.fact}>
      <dt>{term}</dt>
      <dd>{typeof children === "string" ? capital(children) : children}</dd>
    </div>
  );
}
