// The frame of a signed-in page: where one can go, whether the screen is live, uploads, the person, and
// the banners that no page may hide.
import { ActionIcon, Button, Menu, useMantineColorScheme } from "@mantine/core";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { Link, NavLink, useLocation, useNavigate } from "react-router";
import { live, useLiveState } from "../api/events";
import type { Session } from "../api/types";
import { Boundary } from "../ui/Boundary";
import { InboxIcon, ListIcon, MoreIcon, PersonIcon, SearchIcon, UploadIcon } from "../ui/icons";
import { KeysDialog, useKeys } from "../ui/keys";
import { useNow } from "../ui/Moment";
import { UploadArea } from "../ui/UploadArea";
import { UploadTray } from "../ui/UploadTray";
import { BreakGlassBanner, BreakGlassDialog } from "./BreakGlass";
import { may, type Permission } from "./permissions";
import classes from "./Shell.module.css";
import { SessionProvider, useSession } from "./session";
import { agoText } from "./time";
import { roleWords } from "./words";

interface Place {
  readonly to: string;
  readonly label: string;
  readonly needs: Permission;
  readonly icon: ReactNode;
  /** In the bar itself; the others are in the menu. */
  readonly first: boolean;
}

const PLACES: readonly Place[] = [
  { to: "/worklist", label: "Worklist", needs: "read-clinical", icon: <ListIcon />, first: true },
  { to: "/patients", label: "Patients", needs: "read-clinical", icon: <SearchIcon />, first: true },
  { to: "/items", label: "Intake", needs: "read-intake", icon: <InboxIcon />, first: true },
  { to: "/users", label: "Users", needs: "manage-users", icon: <PersonIcon />, first: false },
  { to: "/tokens", label: "API tokens", needs: "manage-users", icon: <PersonIcon />, first: false },
  { to: "/access-log", label: "Access log", needs: "read-access-log", icon: <ListIcon />, first: false },
  { to: "/balance", label: "Balance", needs: "read-intake", icon: <InboxIcon />, first: false },
  { to: "/operations", label: "Operations", needs: "read-operations", icon: <ListIcon />, first: false },
];

export function Shell({ session, children }: { session: Session; children: ReactNode }) {
  const [breaking, setBreaking] = useState(false);
  const ask = useMemo(() => () => setBreaking(true), []);
  return (
    <SessionProvider session={session} askBreakGlass={ask}>
      <UploadArea>
        <Frame>{children}</Frame>
      </UploadArea>
      <BreakGlassDialog opened={breaking} onClose={() => setBreaking(false)} />
    </SessionProvider>
  );
}

function Frame({ children }: { children: ReactNode }) {
  const { session, signOut, askBreakGlass } = useSession();
  const hears = hasLive(session);
  useEffect(() => {
    if (!hears) return;
    live.open();
    return () => live.close();
  }, [hears]);
  const [keysShown, setKeysShown] = useState(false);
  const navigate = useNavigate();
  const places = PLACES.filter((place) => may(session, place.needs));
  const inBar = places.filter((place) => place.first);
  const inMenu = places.filter((place) => !place.first);
  const place = useLocation().pathname;
  const onRecording = place.startsWith("/recordings/");
  useKeys([
    { keys: ["?"], does: "Show the keys of this page", run: () => setKeysShown(true) },
    { keys: ["w"], does: "Go to the worklist", run: () => navigate("/worklist") },
    ...(may(session, "upload")
      ? [{ keys: ["u"], does: "Upload files", run: () => document.getElementById("upload-button")?.click() }]
      : []),
  ]);
  return (
    <div className={classes.shell} data-recording={onRecording || undefined}>
      <a className={classes.skip} href="#content">
        Skip to the content
      </a>
      <header className={classes.bar}>
        <Link to="/" className={classes.brand} aria-label="Precordia, start page">
          <Mark />
          <span>Precordia</span>
        </Link>
        <nav aria-label="Pages" className={classes.nav}>
          {inBar.map((place) => (
            <NavLink key={place.to} to={place.to} className={classes.place} data-inset-focus>
              {place.icon}
              <span>{place.label}</span>
            </NavLink>
          ))}
          {inMenu.length > 0 && (
            <Menu>
              <Menu.Target>
                <button type="button" className={classes.place} data-inset-focus>
                  <MoreIcon />
                  <span>Administration</span>
                </button>
              </Menu.Target>
              <Menu.Dropdown>
                {inMenu.map((place) => (
                  <Menu.Item key={place.to} component={Link} to={place.to}>
                    {place.label}
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
          )}
        </nav>
        <div className={classes.right}>
          {hasLive(session) && <LiveMark />}
          {may(session, "upload") && <UploadButton />}
          <PersonMenu
            session={session}
            onKeys={() => setKeysShown(true)}
            onBreakGlass={askBreakGlass}
            onSignOut={() => void signOut()}
          />
        </div>
      </header>
      <BreakGlassBanner />
      <main id="content" className={classes.content} tabIndex={-1}>
        <Boundary place={place}>{children}</Boundary>
      </main>
      <UploadTray />
      <KeysDialog opened={keysShown} onClose={() => setKeysShown(false)} />
    </div>
  );
}

/** Whoever may read nothing that arrives has nothing to be told of. */
const hasLive = (session: Session) => may(session, "read-clinical") || may(session, "read-intake");

function UploadButton() {
  const click = () => document.getElementById("upload-files")?.click();
  return (
    <>
      <Button
        id="upload-button"
        className={classes.uploadWide}
        size="compact-sm"
        leftSection={<UploadIcon />}
        onClick={click}
      >
        Upload
      </Button>
      <ActionIcon className={classes.uploadSmall} size="lg" aria-label="Upload files" onClick={click}>
        <UploadIcon />
      </ActionIcon>
    </>
  );
}

/** Whether new files show by themselves: green, then amber, then red, with the age in words. */
function LiveMark() {
  const { connected, since } = useLiveState();
  const now = useNow(1000);
  const away = now - since;
  const level = connected ? "live" : away < 15_000 ? "late" : "lost";
  const words = connected ? "Live" : `Not live for ${agoText(away)}`;
  return (
    <span
      className={classes.live}
      data-level={level}
      role="status"
      title={`${words}. New recordings show by themselves while live.`}
    >
      <span className={classes.dot} aria-hidden="true" />
      <span className={classes.liveWords}>{words}</span>
    </span>
  );
}

interface PersonMenuProps {
  readonly session: Session;
  readonly onKeys: () => void;
  readonly onBreakGlass: () => void;
  readonly onSignOut: () => void;
}

function PersonMenu({ session, onKeys, onBreakGlass, onSignOut }: PersonMenuProps) {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { user, organization } = session;
  return (
    <Menu>
      <Menu.Target>
        <button
          type="button"
          className={classes.person}
          aria-label={`${user.display_name}, ${organization.name}: menu`}
        >
          <PersonIcon />
          <span className={classes.who}>
            <span>{user.display_name}</span>
            <span className="quiet">{organization.name}</span>
          </span>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {user.display_name}
          <br />
          {roleWords(user.roles)}
          <br />
          {organization.name}
        </Menu.Label>
        <Menu.Item component={Link} to="/settings">
          Settings and ruler check
        </Menu.Item>
        <Menu.Item onClick={onKeys}>Keys on this page</Menu.Item>
        <Menu.Item onClick={() => setColorScheme(colorScheme === "dark" ? "light" : "dark")}>
          {colorScheme === "dark" ? "Light colors" : "Dark colors"}
        </Menu.Item>
        {may(session, "break-glass") && session.break_glass == null && (
          <Menu.Item onClick={onBreakGlass}>Emergency access…</Menu.Item>
        )}
        <Menu.Divider />
        <Menu.Item onClick={onSignOut}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

export const Mark = () => (
  <svg width="24" height="24" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <rect width="32" height="32" rx="7" fill="#17548f" />
    <path
      d="M3 18h6l2-3 2 3h1.5L17 6l3 20 2-8h7"
      fill="none"
      stroke="#fff"
      strokeWidth="2.2"
      strokeLinejoin="round"
      strokeLinecap="round"
    />
  </svg>
);
