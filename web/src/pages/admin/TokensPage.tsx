// Keys for programs. A token is shown once, when it is made; after that only its label is known.
import { Button, Modal, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, done, must } from "../../api/client";
import { sayFailure } from "../../api/failure";
import { queries } from "../../api/queries";
import type { Role } from "../../api/types";
import { ROLES, roleWords } from "../../app/words";
import { Moment } from "../../ui/Moment";
import { Notice } from "../../ui/Notice";
import { Page, TableFrame } from "../../ui/Page";
import { Empty, Failed, Loading } from "../../ui/States";
import classes from "./Admin.module.css";
import { RoleChoice } from "./RoleChoice";

const OFFERED = ROLES.filter((role) => role !== "platform-operator");

export default function TokensPage() {
  const tokens = useQuery(queries.tokens());
  const queryClient = useQueryClient();
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<{ id: string; label: string } | undefined>(undefined);
  const remove = useMutation({
    mutationFn: (id: string) => done(api.DELETE("/api/tokens/{id}", { params: { path: { id } } })),
    onSuccess: () => {
      setRemoving(undefined);
      void queryClient.invalidateQueries({ queryKey: ["tokens"] });
    },
  });
  return (
    <Page
      title="API tokens"
      about="For programs that send or read recordings."
      actions={<Button onClick={() => setAdding(true)}>Make a token</Button>}
    >
      {tokens.isPending ? (
        <Loading what="tokens" />
      ) : tokens.isError ? (
        <Failed what="list of tokens" failure={tokens.error} retry={() => void tokens.refetch()} />
      ) : tokens.data.tokens.length === 0 ? (
        <Empty title="No tokens">
          <p>Make one for each program, so that each can be taken away alone.</p>
        </Empty>
      ) : (
        <TableFrame label="API tokens">
          <thead>
            <tr>
              <th scope="col">Label</th>
              <th scope="col">Roles</th>
              <th scope="col">Made</th>
              <th scope="col">Ends</th>
              <th scope="col">Change</th>
            </tr>
          </thead>
          <tbody>
            {tokens.data.tokens.map((token) => (
              <tr key={token.id}>
                <td>{token.label}</td>
                <td>{roleWords(token.roles)}</td>
                <td>
                  <Moment at={token.created_at} />
                </td>
                <td>{token.expires_at == null ? "Never" : <Moment at={token.expires_at} />}</td>
                <td>
                  <Button size="compact-sm" variant="default" onClick={() => setRemoving(token)}>
                    Take away<span className="hidden"> {token.label}</span>
                  </Button>
                </td>
              </tr>
            ))}
          </tbody>
        </TableFrame>
      )}
      <Modal opened={adding} onClose={() => setAdding(false)} title="Make a token">
        {adding && <TokenForm onDone={() => setAdding(false)} />}
      </Modal>
      <Modal opened={removing !== undefined} onClose={() => setRemoving(undefined)} title="Take a token away">
        <div className={classes.form}>
          <p>
            Programs that use “{removing?.label}” are refused from now on. The token cannot be brought back; a
            new one can be made.
          </p>
          {remove.isError && <Notice kind="bad">{sayFailure(remove.error)}</Notice>}
          <div className={classes.end}>
            <Button variant="default" onClick={() => setRemoving(undefined)}>
              Cancel
            </Button>
            <Button
              color="red.8"
              loading={remove.isPending}
              onClick={() => removing && remove.mutate(removing.id)}
            >
              Take away
            </Button>
          </div>
        </div>
      </Modal>
    </Page>
  );
}

function TokenForm({ onDone }: { onDone: () => void }) {
  const queryClient = useQueryClient();
  const [label, setLabel] = useState("");
  const [roles, setRoles] = useState<readonly Role[]>(["service"]);
  const [ends, setEnds] = useState("");
  const make = useMutation({
    gcTime: 0,
    mutationFn: () =>
      must(
        api.POST("/api/tokens", {
          body: {
            label: label.trim(),
            roles: [...roles],
            ...(ends !== "" && { expires_at: new Date(`${ends}T23:59:59`).toISOString() }),
          },
        }),
      ),
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: ["tokens"] }),
  });
  if (make.data !== undefined) {
    return (
      <div className={classes.form}>
        <p>Copy the token now. It is not shown again, and nobody can look it up.</p>
        <code className={classes.token}>{make.data.token}</code>
        <div className={classes.end}>
          <Button variant="default" onClick={() => void navigator.clipboard.writeText(make.data.token)}>
            Copy
          </Button>
          <Button onClick={onDone}>Done</Button>
        </div>
      </div>
    );
  }
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        make.mutate();
      }}
    >
      <TextInput
        label="Label"
        description="Which program, on which machine"
        required
        data-autofocus
        value={label}
        onChange={(event) => setLabel(event.currentTarget.value)}
      />
      <RoleChoice offered={OFFERED} value={roles} onChange={setRoles} />
      <TextInput
        type="date"
        label="Ends after"
        description="Leave empty for a token without an end"
        value={ends}
        onChange={(event) => setEnds(event.currentTarget.value)}
      />
      {make.isError && <Notice kind="bad">{sayFailure(make.error)}</Notice>}
      <div className={classes.end}>
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
        <Button type="submit" loading={make.isPending} disabled={roles.length === 0}>
          Make
        </Button>
      </div>
    </form>
  );
}
