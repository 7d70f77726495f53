import { Checkbox } from "@mantine/core";
import type { Role } from "../../api/types";
import { ROLE_WORDS, ROLES } from "../../app/words";
import classes from "./Admin.module.css";

/** Roles of people; `service` belongs to programs, the platform's operator to no organization. */
export const PEOPLE_ROLES: readonly Role[] = ROLES.filter(
  (role) => role !== "service" && role !== "platform-operator",
);

interface RoleChoiceProps {
  readonly offered: readonly Role[];
  readonly value: readonly Role[];
  readonly onChange: (roles: readonly Role[]) => void;
}

export function RoleChoice({ offered, value, onChange }: RoleChoiceProps) {
  return (
    <Checkbox.Group
      label="Roles"
      withAsterisk
      value={[...value]}
      onChange={(roles) => onChange(roles as Role[])}
    >
      <div className={classes.roles}>
        {offered.map((role) => (
          <Checkbox key={role} value={role} label={ROLE_WORDS[role]} />
        ))}
      </div>
    </Checkbox.Group>
  );
}
