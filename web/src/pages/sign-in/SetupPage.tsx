// The first administrator of an organization, made with the code that `precordia org apply` printed.
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { api, must } from "../../api/client";
import { sayFailure } from "../../api/failure";
import { queries } from "../../api/queries";
import { useGate } from "../../app/session";
import { Notice } from "../../ui/Notice";
import { useTitle } from "../../ui/Page";
import classes from "./Entrance.module.css";
import { EntranceFrame } from "./EntranceFrame";

const PASSWORD_LENGTH_MIN = 12;

export default function SetupPage() {
  useTitle("Set up");
  const [params] = useSearchParams();
  const { enter } = useGate();
  const navigate = useNavigate();
  const [fields, setFields] = useState({
    organization: params.get("organization") ?? "",
    code: "",
    user_name: "",
    display_name: "",
    password: "",
  });
  const [again, setAgain] = useState("");
  const [asked, setAsked] = useState(fields.organization);
  const state = useQuery(queries.setup(asked));
  const setup = useMutation({
    mutationFn: () => must(api.POST("/api/setup", { body: fields })),
    gcTime: 0,
    onSuccess: (session) => {
      enter(session);
      navigate("/users", { replace: true });
    },
  });
  const set = (change: Partial<typeof fields>) => setFields((before) => ({ ...before, ...change }));
  const differs = again !== "" && again !== fields.password;
  const short = fields.password !== "" && fields.password.length < PASSWORD_LENGTH_MIN;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!differs && !short) setup.mutate();
  };
  const settled = state.data !== undefined && !state.data.needed;
  return (
    <EntranceFrame>
      <h1>Set up an organization</h1>
      <p className="quiet">
        Make the first administrator with the code that <code>precordia org apply</code> printed. The
        administrator then adds everybody else.
      </p>
      <form className={classes.form} onSubmit={submit}>
        <TextInput
          label="Organization"
          autoCapitalize="none"
          spellCheck={false}
          required
          value={fields.organization}
          onChange={(event) => set({ organization: event.currentTarget.value.trim() })}
          onBlur={() => setAsked(fields.organization)}
        />
        {settled ? (
          <Notice kind="note">
            This organization needs no set-up. <Link to="/">Sign in</Link> instead.
          </Notice>
        ) : (
          <>
            <TextInput
              label="Set-up code"
              autoComplete="one-time-code"
              autoCapitalize="none"
              spellCheck={false}
              required
              value={fields.code}
              onChange={(event) => set({ code: event.currentTarget.value.trim() })}
            />
            <TextInput
              label="Your name"
              description="As others see it beside what you did"
              autoComplete="name"
              required
              value={fields.display_name}
              onChange={(event) => set({ display_name: event.currentTarget.value })}
            />
            <TextInput
              label="User name"
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              required
              value={fields.user_name}
              onChange={(event) => set({ user_name: event.currentTarget.value.trim() })}
            />
            <PasswordInput
              label="Password"
              description={`At least ${PASSWORD_LENGTH_MIN} characters; a sentence is easy to keep in mind`}
              autoComplete="new-password"
              required
              error={
                short ? `${fields.password.length} of at least ${PASSWORD_LENGTH_MIN} characters` : undefined
              }
              value={fields.password}
              onChange={(event) => set({ password: event.currentTarget.value })}
            />
            <PasswordInput
              label="Password again"
              autoComplete="new-password"
              required
              error={differs ? "The two passwords differ" : undefined}
              value={again}
              onChange={(event) => setAgain(event.currentTarget.value)}
            />
            {setup.isError && <Notice kind="bad">{sayFailure(setup.error)}</Notice>}
            <Button type="submit" size="md" loading={setup.isPending}>
              Make the administrator
            </Button>
          </>
        )}
      </form>
    </EntranceFrame>
  );
}
