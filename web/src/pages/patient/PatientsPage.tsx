// Looking up a patient rather than a recording.
import { Link } from "react-router";
import { Page } from "../../ui/Page";
import { PatientFinder } from "../../ui/PatientFinder";

export default function PatientsPage() {
  return (
    <Page title="Patients">
      <PatientFinder label="Find a patient" autoFocus>
        {(patient, about) => <Link to={`/patients/${patient.id}`}>{about}</Link>}
      </PatientFinder>
    </Page>
  );
}
