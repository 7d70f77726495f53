// The people of the organization: who may sign in, as what.
import { Button, Modal, PasswordInput, Switch, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, done, must } from "../../api/client";
import { sayFailure } from "../../api/failure";
import { queries } from "../../api/queries";
import type { Role, User } from "../../api/types";
import { useSession } from "../../app/session";
import { roleWords } from "../../app/words";
import { Notice } from "../../ui/Notice";
import { Page, TableFrame } from "../../ui/Page";
import { Failed, Loading } from "../../ui/States";
import classes from "./Admin.module.css";
import { PEOPLE_ROLES, RoleChoice } from "./RoleChoice";

const PASSWORD_HELP = "At least 12 characters; the person should change it to a sentence of their own";

export default function UsersPage() {
  const users = useQuery(queries.users());
  const [editing, setEditing] = useState<User | "new" | undefined>(undefined);
  const [password, setPassword] = useState<User | undefined>(undefined);
  return (
    <Page title="Users" actions={<Button onClick={() => setEditing("new")}>Add a user</Button>}>
      {users.isPending ? (
        <Loading what="users" />
      ) : users.isError ? (
        <Failed what="list of users" failure={users.error} retry={() => void users.refetch()} />
      ) : (
        <TableFrame label="Users">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">User name</th>
              <th scope="col">Roles</th>
              <th scope="col">State</th>
              <th scope="col">Change</th>
            </tr>
          </thead>
          <tbody>
            {users.data.users.map((user) => (
              <tr key={user.id}>
                <td>{user.display_name}</td>
                <td>{user.user_name}</td>
                <td>{roleWords(user.roles)}</td>
                <td>{user.active ? "Active" : "Switched off"}</td>
                <td>
                  <span className={classes.steps}>
                    <Button size="compact-sm" variant="default" onClick={() => setEditing(user)}>
                      Edit<span className="hidden"> {user.display_name}</span>
                    </Button>
                    <Button size="compact-sm" variant="default" onClick={() => setPassword(user)}>
                      New password<span className="hidden"> for {user.display_name}</span>
                    </Button>
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </TableFrame>
      )}
      <Modal
        opened={editing !== undefined}
        onClose={() => setEditing(undefined)}
        title={editing === "new" || editing === undefined ? "Add a user" : `Edit ${editing.display_name}`}
      >
        {editing !== undefined && <UserForm user={editing} onDone={() => setEditing(undefined)} />}
      </Modal>
      <Modal
        opened={password !== undefined}
        onClose={() => setPassword(undefined)}
        title={`New password for ${password?.display_name ?? ""}`}
      >
        {password !== undefined && <PasswordForm user={password} onDone={() => setPassword(undefined)} />}
      </Modal>
    </Page>
  );
}

function UserForm({ user, onDone }: { user: User | "new"; onDone: () => void }) {
  const { session } = useSession();
  const queryClient = useQueryClient();
  const known = user === "new" ? undefined : user;
  const [displayName, setDisplayName] = useState(known?.display_name ?? "");
  const [userName, setUserName] = useState(known?.user_name ?? "");
  const [roles, setRoles] = useState<readonly Role[]>(known?.roles ?? []);
  const [active, setActive] = useState(known?.active ?? true);
  const [password, setPassword] = useState("");
  const save = useMutation({
    gcTime: 0,
    mutationFn: async () => {
      const body = { display_name: displayName.trim(), roles: [...roles] };
      if (known === undefined) {
        await done(api.POST("/api/users", { body: { ...body, user_name: userName.trim(), password } }));
      } else {
        await must(
          api.PUT("/api/users/{id}", { params: { path: { id: known.id } }, body: { ...body, active } }),
        );
      }
    },
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ["users"] });
      onDone();
    },
  });
  const self = known?.id === session.user.id;
  return (
    <form
      className={classes.form}
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <TextInput
        label="Name"
        required
        data-autofocus
        value={displayName}
        onChange={(event) => setDisplayName(event.currentTarget.value)}
      />
      {known === undefined && (
        <>
          <TextInput
            label="User name"
            autoCapitalize="none"
            spellCheck={false}
            autoComplete="off"
            required
            value={userName}
            onChange={(event) => setUserName(event.currentTarget.value)}
          />
          <PasswordInput
            label="First password"
            description={PASSWORD_HELP}
            autoComplete="new-password"
            required
            minLength={12}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
        </>
      )}
      <RoleChoice offered={PEOPLE_ROLES} value={roles} onChange={setRoles} />
      {known !== undefined && (
        <Switch
          label="May sign in"
          description={self ? "You cannot switch yourself off" : undefined}
          disabled={self}
          checked={active}
          onChange={(event) => setActive(event.currentTarget.checked)}
        />
      )}
      {save.isError && <Notice kind="bad">{sayFailure(save.error)}</Notice>}
      <div className={classes.end}>
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
        <Button type="submit" loading={save.isPending} disabled={roles.length === 0}>
          {known === undefined ? "Add" : "Save"}
        </Button>
      </div>
    </form>
  );
}

function PasswordForm({ user, onDone }: { user: User; onDone: () => void }) {
  const [password, setPassword] = useState("");
  const save = useMutation({
    gcTime: 0,
    mutationFn: () =>
      done(api.POST("/api/users/{id}/password", { params: { path: { id: user.id } }, body: { password } })),
    onSuccess: onDone,
  });
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <PasswordInput
        label="Password"
        description={PASSWORD_HELP}
        autoComplete="new-password"
        required
        minLength={12}
        data-autofocus
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      {save.isError && <Notice kind="bad">{sayFailure(save.error)}</Notice>}
      <div className={classes.end}>
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
        <Button type="submit" loading={save.isPending}>
          Set the password
        </Button>
      </div>
    </form>
  );
}
