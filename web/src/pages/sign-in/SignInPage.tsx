// Sign-in: organization, user, password. In a demo the sign-ins that exist are listed and fill the form.
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, Fragment, useEffect, useState } from "react";
import { api, must } from "../../api/client";
import { ApiFailure, sayFailure } from "../../api/failure";
import { queries } from "../../api/queries";
import { useGate } from "../../app/session";
import { roleWords } from "../../app/words";
import { Notice } from "../../ui/Notice";
import { useTitle } from "../../ui/Page";
import classes from "./Entrance.module.css";
import { EntranceFrame } from "./EntranceFrame";

interface Fields {
  readonly organization: string;
  readonly user_name: string;
  readonly password: string;
}

export default function SignInPage({ notice }: { notice: string | undefined }) {
  useTitle("Sign in");
  const { enter } = useGate();
  const [fields, setFields] = useState<Fields>({ organization: "", user_name: "", password: "" });
  const demo = useQuery(queries.demoSignIns());
  const signIn = useMutation({
    mutationFn: (body: Fields) => must(api.POST("/api/session", { body })),
    onSuccess: enter,
    gcTime: 0,
  });
  const wait = useWait(signIn.error);
  const set = (change: Partial<Fields>) => setFields((before) => ({ ...before, ...change }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate({
      ...fields,
      organization: fields.organization.trim(),
      user_name: fields.user_name.trim(),
    });
  };

  return (
    <EntranceFrame
      aside={
        demo.data !== undefined && demo.data.length > 0 ? (
          <section className={classes.demo} aria-labelledby="demo-title">
            <h2 id="demo-title">Demo sign-ins</h2>
            <p className="quiet small">Made-up people and synthesized recordings. Choose one to sign in.</p>
            {organizationsOf(demo.data).map(({ name, entries }) => (
              <Fragment key={name}>
                <h3>{name}</h3>
                <ul className={classes.list}>
                  {entries.map((entry) => (
                    <li key={entry.user_name}>
                      <button
                        type="button"
                        className={classes.entry}
                        disabled={signIn.isPending}
                        onClick={() => {
                          const { organization, user_name, password } = entry;
                          setFields({ organization, user_name, password });
                          signIn.mutate({ organization, user_name, password });
                        }}
                      >
                        <strong>{roleWords(entry.roles)}</strong>
                        <span className="quiet small">
                          {entry.organization} / {entry.user_name} / <code>{entry.password}</code>
                        </span>
                      </button>
                    </li>
                  ))}
                </ul>
              </Fragment>
            ))}
          </section>
        ) : null
      }
    >
      <h1>Sign in</h1>
      {notice !== undefined && <Notice kind="note">{notice}</Notice>}
      <form className={classes.form} onSubmit={submit}>
        <TextInput
          label="Organization"
          name="organization"
          autoComplete="organization"
          autoCapitalize="none"
          spellCheck={false}
          required
          autoFocus
          value={fields.organization}
          onChange={(event) => set({ organization: event.currentTarget.value })}
        />
        <TextInput
          label="User name"
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          value={fields.user_name}
          onChange={(event) => set({ user_name: event.currentTarget.value })}
        />
        <PasswordInput
          label="Password"
          name="password"
          autoComplete="current-password"
          required
          value={fields.password}
          onChange={(event) => set({ password: event.currentTarget.value })}
        />
        {signIn.isError && <Notice kind="bad">{signInWords(signIn.error, wait)}</Notice>}
        <Button type="submit" size="md" loading={signIn.isPending} disabled={wait > 0}>
          {wait > 0 ? `Wait ${wait} s` : "Sign in"}
        </Button>
      </form>
    </EntranceFrame>
  );
}

function organizationsOf<T extends { readonly organization_name: string }>(all: readonly T[]) {
  const names = [...new Set(all.map((entry) => entry.organization_name))];
  return names.map((name) => ({ name, entries: all.filter((entry) => entry.organization_name === name) }));
}

function signInWords(failure: unknown, wait: number): string {
  if (failure instanceof ApiFailure && failure.kind === "signed-out") {
    return "Organization, user name and password do not belong together. Check them and try again; an administrator can set a new password.";
  }
  if (failure instanceof ApiFailure && failure.problem?.status === 429) {
    return wait > 0
      ? `There were too many tries. You can try again in ${wait} s.`
      : "There were too many tries. You can try again now.";
  }
  return sayFailure(failure);
}

/** Seconds until another try is allowed, counting down. */
function useWait(failure: unknown): number {
  const [wait, setWait] = useState(0);
  useEffect(() => {
    const after = failure instanceof ApiFailure ? (failure.retryAfterS ?? 0) : 0;
    setWait(Math.ceil(after));
    if (after <= 0) return;
    const timer = setInterval(() => setWait((left) => Math.max(0, left - 1)), 1000);
    return () => clearInterval(timer);
  }, [failure]);
  return wait;
}
