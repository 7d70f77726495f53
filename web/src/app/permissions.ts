// What the signed-in person may do, as the server said it. Hiding a button is a courtesy; the server decides.
import type { Session } from "../api/types";

export type Permission =
  | "upload"
  | "read-clinical"
  | "export-original"
  | "assign-recording"
  | "merge-patients"
  | "erase-patient"
  | "read-intake"
  | "manage-users"
  | "read-access-log"
  | "read-operations"
  | "manage-operations"
  | "break-glass";

export const may = (session: Session, permission: Permission): boolean =>
  session.permissions.includes(permission);
